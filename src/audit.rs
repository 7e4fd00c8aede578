//! The rules of a decision, stated a second time. It never imports the engine, so it cannot share its mistakes.
