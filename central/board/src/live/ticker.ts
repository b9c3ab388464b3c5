/** A timer in a worker: browsers slow the timers of a page that is not in front, and this board never sleeps. */

setInterval(() => postMessage(null), 250)
