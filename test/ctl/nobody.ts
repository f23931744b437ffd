import { spawnSync } from 'node:child_process';
import { CTL } from './ctl-process.ts';

/** The user nobody, who is in no group. */
export const NOBODY = 65_534;

/** False unless these tests run as root, from a directory that others can read. */
export const canTryAsNobody =
  process.getuid?.() === 0 &&
  spawnSync('test', ['-r', CTL, '-a', '-x', process.execPath], { uid: NOBODY }).status === 0;
