/** Tests mark what must not be logged with one of these words, or use such a phone number. */
const MARK = /planted[\w.-]*|[\w.-]*-of-the-stage/i;
const PHONE_NUMBER = /(?:\+|%2B)1[ -]?555[ -]?0100[ -]?\d{3}/i;
/** A signature of a start request. */
const SIGNATURE = /v1=[0-9a-f]{64}/;

/** Variables with secret values; shorter values could be part of a word. */
const SECRET_VARIABLES = [
  'DEEPGRAM_API_KEY',
  'TRIGGER_SECRET',
  'STATE_KEY',
  'RESULTS_SECRET',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];
const SHORTEST_SECRET = 8;

/** Checks a process's output for the secrets in its environment and for what tests plant in its requests. */
export class LeakWatch {
  readonly leaks: string[] = [];
  readonly #secrets: readonly string[];

  constructor(env: Readonly<Record<string, string>>) {
    this.#secrets = SECRET_VARIABLES.map((name) => env[name] ?? '').filter(({ length }) => length >= SHORTEST_SECRET);
  }

  /** Checks one or more complete lines. */
  read(text: string): void {
    const found =
      (MARK.exec(text) ?? PHONE_NUMBER.exec(text) ?? SIGNATURE.exec(text))?.[0] ??
      this.#secrets.find((secret) => text.includes(secret));
    if (found !== undefined) this.leaks.push(`${found} in: ${text}`);
  }
}
