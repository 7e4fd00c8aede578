//! One thin file a command: plain values in, an exit code out. Only `cli::printer` prints.
