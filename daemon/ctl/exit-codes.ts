/** integratorctl's exit codes. Scripts rely on them: a number never changes its meaning. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  notFound: 4,
  deadlinePassed: 5,
  draining: 6,
  noPermission: 7,
  /** 128 + SIGINT, the shells' convention. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For --help and the man page. */
export const EXIT_MEANINGS: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: EXIT.ok, meaning: 'success' },
  { code: EXIT.failure, meaning: 'failure; of doctor, a failed check; of sessions stop, a failed session' },
  { code: EXIT.usage, meaning: 'usage error, or an ambiguous id prefix' },
  { code: EXIT.notRunning, meaning: 'the daemon is not running' },
  { code: EXIT.notFound, meaning: 'no such session or contact' },
  { code: EXIT.deadlinePassed, meaning: "the drain's deadline passed and ended sessions" },
  { code: EXIT.draining, meaning: 'refused because the daemon is draining' },
  {
    code: EXIT.noPermission,
    meaning: 'no permission to use the control socket, or to read the journal or a credential',
  },
  { code: EXIT.interrupted, meaning: 'interrupted by Ctrl-C; a drain continues' },
];
