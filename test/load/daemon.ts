import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { signatureHeaders, TIMEOUT_HEADER } from '../../daemon/contract/signing.ts';
import { type Scrape, scrape } from '../metrics/scrape.ts';
import { type Line, Program } from '../support/process.ts';
import { unitNodeOf } from '../support/unit-node.ts';
import { LoadFailed } from './failure.ts';
import { API_KEY, contactIdOf, fragmentNumberOf, REGION, streamArnOf, tagOf } from './identity.ts';
import { monotonicMs } from './monotonic.ts';
import { REPLAY_MS } from './reconnects.ts';

interface DaemonSettings {
  readonly script: string;
  readonly kinesisUrl: string;
  readonly deepgramUrl: string;
  /** Directory for its state and its socket. */
  readonly directory: string;
  readonly checkpoints: boolean;
  readonly caPath?: string | undefined;
  readonly workers: number | undefined;
  /** In addition to those of the systemd unit. */
  readonly nodeOptions?: string;
  /** The consumer of relayed results. */
  readonly webhook?: { readonly url: string; readonly secret: string } | undefined;
  /** REPLAY_MS by default is that of a load run. */
  readonly replayMs?: number;
}

/** A start request and its response. */
export interface Start {
  readonly call: number;
  readonly latencyMs: number;
  /** Why it failed, as text. */
  readonly failure: string | undefined;
  /** From the response, if there was one. */
  readonly status: string | undefined;
  readonly reason: string | undefined;
}

/** Totals from the daemon's log. */
export interface Said {
  completed: number;
  failed: number;
  gapMs: number;
  reconnects: number;
  replayedMs: number;
  resumes: number;
  /** Number of lines at warn and error, by event. */
  readonly trouble: Record<string, number>;
}

/** What a start request may say besides the call. */
export interface StartFacts {
  /** When the call's audio began, in epoch ms. */
  readonly beganAtEpochMs?: number;
  /** Null to get the results back. */
  readonly callback?: string | null;
  /** The daemon relays the results to its webhook; with this also those that are not final. */
  readonly relay?: 'finals' | 'interims' | undefined;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A checkout's daemon; its unit says how Node is started. For a bundle ours does. */
const SOURCES = 'daemon/main.ts';
const SECRET = 'secret-of-the-load-run';
/** The trigger's timeout. */
const START_TIMEOUT_MS = 6000;
/** In callback mode, which is the usual one, results do not return to the daemon. Nothing calls this address. */
const CALLBACK = 'https://load.example/{contact-id}';
const MAX_SESSIONS = 100_000;
const BACKLOG = 'integratord_results_backlog_events';
const POLL_MS = 100;

/** The daemon under load, in its own process. */
export class Daemon {
  /** Rejects if it exits before it is stopped. */
  readonly failed: Promise<never>;
  readonly #program: Program;
  readonly #webhookUrl: string | undefined;
  #url = '';
  #isStopping = false;

  constructor(settings: DaemonSettings) {
    this.#webhookUrl = settings.webhook?.url;
    const script = resolve(settings.script);
    const node = unitNodeOf(script.endsWith(SOURCES) ? dirname(dirname(script)) : ROOT);
    this.#program = new Program(relative(ROOT, script), [], environment(settings, node.options), {
      nodeArgs: node.args,
    });
    this.failed = this.#program.exited.then((code) => {
      if (this.#isStopping) return new Promise<never>(() => {});
      const how = code === null ? 'by a signal' : `exit code ${code}`;
      throw new LoadFailed(`the daemon ended (${how}):\n${this.#program.stderr}`);
    });
    // The caller that races against it handles the rejection.
    this.failed.catch(() => {});
  }

  /** Resolves when it accepts start requests. Throws LoadFailed if it exits instead. */
  async listening(): Promise<void> {
    this.#url = await Promise.race([this.#program.listening(), this.failed]);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Sends a signed start request, as the trigger does. */
  async startSession(call: number, { beganAtEpochMs, callback = CALLBACK, relay }: StartFacts = {}): Promise<Start> {
    const body = JSON.stringify({
      contactId: contactIdOf(call),
      kvsStream: {
        arn: streamArnOf(call),
        startFragmentNumber: fragmentNumberOf(call, 0),
        ...(beganAtEpochMs !== undefined && { startTimestamp: new Date(beganAtEpochMs).toISOString() }),
      },
      dgParams: {
        model: 'nova-3',
        tag: tagOf(call),
        ...(callback !== null && !relay && { callback }),
        ...(relay && { smart_format: 'true', interim_results: String(relay === 'interims') }),
      },
      enforceRealtime: false,
      ...(relay && { results: { webhook: `${this.#webhookUrl}/calls/{contact-id}` } }),
    });
    const headers = { ...signatureHeaders(SECRET, body, Date.now()), [TIMEOUT_HEADER]: String(START_TIMEOUT_MS) };
    const beganMs = monotonicMs();
    const answered = await fetch(`${this.#url}/start-session`, { method: 'POST', headers, body })
      .then(async (response) => {
        const text = await response.text();
        const { status, reason } = JSON.parse(text) as { status?: string; reason?: string };
        const failure = response.status === 200 ? undefined : `${response.status} ${text}`;
        return { failure, status, reason };
      })
      .catch(({ message, cause }: Error) => {
        return { failure: `${message}: ${String(cause)}`, status: undefined, reason: undefined };
      });
    return { call, latencyMs: monotonicMs() - beganMs, ...answered };
  }

  /** Scrapes /metrics, as Prometheus does. */
  async scrape(): Promise<Scrape> {
    return (await scrape(this.#url)).values;
  }

  /** Waits up to `timeoutMs` until every event of the results relay is delivered; returns false if some are not. */
  async delivered(timeoutMs: number): Promise<boolean> {
    const giveUpMs = monotonicMs() + timeoutMs;
    while (((await this.scrape()).get(BACKLOG) ?? 0) > 0) {
      if (monotonicMs() > giveUpMs) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  /** Waits up to `timeoutMs` for the end of these calls' sessions in the log; returns the calls that have not ended. */
  async ended(calls: readonly number[], timeoutMs: number): Promise<readonly number[]> {
    const missing = new Set(calls.map(contactIdOf));
    if (missing.size === 0) return [];
    const allEnded = this.#program.line((line) => {
      if (line['event'] === 'session.ended') missing.delete(String(line['contactId']));
      return missing.size === 0;
    });
    const { promise: timedOut, resolve: giveUp } = Promise.withResolvers<void>();
    const timeout = setTimeout(giveUp, timeoutMs);
    await Promise.race([allEnded, timedOut, this.failed]).finally(() => clearTimeout(timeout));
    return calls.filter((call) => missing.has(contactIdOf(call)));
  }

  /** What it logged about a call. */
  linesOf(call: number): readonly Line[] {
    return this.#program.lines.filter((line) => line['contactId'] === contactIdOf(call));
  }

  /** Totals of what it logged about these calls. */
  said(calls: readonly number[]): Said {
    const contacts = new Set(calls.map(contactIdOf));
    const said: Said = { completed: 0, failed: 0, gapMs: 0, reconnects: 0, replayedMs: 0, resumes: 0, trouble: {} };
    for (const line of this.#program.lines) {
      if (contacts.has(String(line['contactId']))) note(line, said);
    }
    return said;
  }

  /** Ends it with SIGTERM, so that it writes its profile. Throws LoadFailed if its exit code is not 0. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const code = await this.#program.stop('SIGTERM');
    if (code !== 0) throw new LoadFailed(`the daemon ended with ${code}: ${this.#program.stderr}`);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    this.#isStopping = true;
    await this.#program.stop('SIGKILL');
  }
}

function environment(settings: DaemonSettings, unitOptions: string): Record<string, string> {
  const {
    kinesisUrl,
    deepgramUrl,
    directory,
    checkpoints,
    caPath,
    workers,
    webhook,
    nodeOptions = '',
    replayMs = REPLAY_MS,
  } = settings;
  return {
    NODE_OPTIONS: `${unitOptions} ${nodeOptions}`,
    PORT: '0',
    HOST: '127.0.0.1',
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'no-secret',
    AWS_ENDPOINT_URL_KINESIS_VIDEO: kinesisUrl,
    DEEPGRAM_API: deepgramUrl,
    DEEPGRAM_API_KEY: API_KEY,
    TRIGGER_SECRET: SECRET,
    MAX_SESSIONS: String(MAX_SESSIONS),
    REPLAY_MS: String(replayMs),
    HEALTH_LAG_MS: '0',
    CONTROL_SOCKET: join(directory, 'control.sock'),
    ...(checkpoints ? { STATE_DIR: join(directory, 'state') } : {}),
    ...(caPath ? { NODE_EXTRA_CA_CERTS: caPath } : {}),
    ...(workers === undefined ? {} : { WORKERS: String(workers) }),
    ...(webhook && { RESULTS_SECRET: secretsOf(webhook), RESULTS_ALLOW_LOCAL: 'on' }),
  };
}

/** By host, as start requests name the webhook. */
function secretsOf({ url, secret }: { readonly url: string; readonly secret: string }): string {
  return JSON.stringify({ [new URL(url).host]: secret });
}

function note(line: Line, said: Said): void {
  const event = String(line['event']);
  if (event === 'kinesis.resumed') said.resumes++;
  if (line['level'] === 'warn' || line['level'] === 'error') said.trouble[event] = (said.trouble[event] ?? 0) + 1;
  if (event !== 'session.ended') return;
  if (line['outcome'] === 'completed') said.completed++;
  else said.failed++;
  // Other versions have another name for it.
  said.gapMs += Number(line['gapMs'] ?? 0);
  said.reconnects += Number(line['reconnects']);
  said.replayedMs += Number(line['replayedMs']);
}
