/** What systemd/integratord.service gives the daemon; test/ctl/unit.test.ts compares the two. */
export const UNIT = {
  user: 'integrator',
  /** StateDirectory=, which systemd creates and gives to the user; also the user's home. */
  stateDirectory: '/var/lib/integratord',
  /** RuntimeDirectory=, which systemd creates. */
  runtimeDirectory: '/run/integratord',
  /** LoadCredential=: the settings that name a secret's file, and its name below the directory of credentials. */
  credentials: {
    DEEPGRAM_API_KEY_FILE: 'deepgram-api-key',
    TRIGGER_SECRET_FILE: 'trigger-secret',
    STATE_KEY_FILE: 'state-key',
    RESULTS_SECRET_FILE: 'results-secret',
    HTTPS_PROXY_FILE: 'https-proxy',
  },
} as const;

/** The environment of the unit, before the file of settings; `etc` is its directory of settings. */
export function unitEnvironment(etc: string): Record<string, string> {
  const files = Object.entries(UNIT.credentials).map(([setting, name]) => [setting, credentialFile(etc, name)]);
  return {
    // systemd sets these itself (systemd.exec(5), "Environment Variables in Spawned Processes").
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
    USER: UNIT.user,
    LOGNAME: UNIT.user,
    HOME: UNIT.stateDirectory,
    STATE_DIRECTORY: UNIT.stateDirectory,
    RUNTIME_DIRECTORY: UNIT.runtimeDirectory,
    STATE_DIR: UNIT.stateDirectory,
    CONTROL_SOCKET: `${UNIT.runtimeDirectory}/control.sock`,
    ...Object.fromEntries(files),
  };
}

/** The file that systemd loads the credential from. */
export function credentialFile(etc: string, name: string): string {
  return `${etc}/credentials/${name}`;
}
