/** A timer in a worker: browsers slow the timers of a page that is not in front, and a board never sleeps. */

setInterval(() => postMessage(null), 250)
