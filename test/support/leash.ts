/** Loaded with `--import`: exits when the parent process is gone, even after SIGKILL. */
import { flushCompileCache } from 'node:module';

/** Short enough to free the ports before the next demo starts. */
const LOOK_EVERY_MS = 500;

/** What init takes over has no parent left; a program that a program under test starts has another parent. */
const INIT_PID = 1;
const parentPid = process.ppid === INIT_PID ? Number(process.env['LEASH_PARENT']) : process.ppid;
setInterval(() => {
  if (process.ppid !== parentPid) process.exit(1);
}, LOOK_EVERY_MS).unref();
// Node writes NODE_COMPILE_CACHE when a process exits, but most programs under test are ended by SIGKILL.
setTimeout(flushCompileCache, LOOK_EVERY_MS).unref();
