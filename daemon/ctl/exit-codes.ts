/** What integratorctl's exit codes mean; scripts rely on them, so a number never gets another meaning. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  notFound: 4,
  deadlinePassed: 5,
  draining: 6,
  noPermission: 7,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit codes in words, for --help and the man page. */
export const EXIT_MEANINGS: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: 'done' },
  { code: EXIT.failure, meaning: 'it failed; a check of doctor failed; a stopped session ended as failed' },
  { code: EXIT.usage, meaning: 'the command line is wrong, or an id prefix fits more than one id' },
  { code: EXIT.notRunning, meaning: 'the daemon is not running' },
  { code: EXIT.notFound, meaning: 'no such session or contact' },
  { code: EXIT.deadlinePassed, meaning: 'the deadline of the drain passed, and sessions were ended by it' },
  { code: EXIT.draining, meaning: 'refused because the daemon is draining' },
  { code: EXIT.noPermission, meaning: 'no permission to use the control socket' },
  { code: EXIT.interrupted, meaning: 'interrupted by Ctrl-C; an ordered drain goes on' },
];
