/** Loaded into a process by `--import`: ends it when its parent is gone, even by SIGKILL, when nobody is left to do so. */

/** Short enough that the ports are free again before somebody starts the next demo. */
const LOOK_EVERY_MS = 500;

const parentPid = Number(new URL(import.meta.url).searchParams.get('parent'));
setInterval(() => {
  if (process.ppid !== parentPid) process.exit(1);
}, LOOK_EVERY_MS).unref();
