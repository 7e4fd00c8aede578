//! Work on many things at once, results in order.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

/// Threads that `jobs` stands for: zero is one a core.
pub(super) fn threads(jobs: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if jobs == 0 { cores() } else { jobs }
}

/// Works on the items on so many threads, begun in order, and hands each result on as soon as it and all before it are
/// there. When `done` breaks, nothing new is begun and nothing later is handed on: what comes out depends on the items,
/// never on the number of threads.
pub(super) fn in_order<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(R) -> ControlFlow<()>,
) {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            let sender = sender.clone();
            let (next, stop, work) = (&next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if sender.send((index, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let mut handed = 0;
        for (index, result) in receiver {
            waiting[index] = Some(result);
            while let Some(result) = waiting.get_mut(handed).and_then(Option::take) {
                handed += 1;
                if done(result).is_break() {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(threads: usize, until: u64) -> Vec<u64> {
        let items: Vec<u64> = (0..100).collect();
        let mut seen = Vec::new();
        in_order(
            &items,
            threads,
            |item| item * item,
            |square| {
                seen.push(square);
                if square >= until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        seen
    }

    #[test]
    fn results_come_in_order_and_do_not_depend_on_the_threads() {
        let alone = squares(1, u64::MAX);
        assert_eq!(alone, (0..100).map(|item| item * item).collect::<Vec<u64>>());
        for threads in [2, 3, 16, 200] {
            assert_eq!(squares(threads, u64::MAX), alone);
            assert_eq!(squares(threads, 400), alone[..=20]);
        }
    }
}
