import { join } from 'node:path';
import type { RetriedLetters } from '../contract/control-api.ts';
import type { ContactFacts, StartRequest } from '../contract/start-request.ts';
import type { Log } from '../log/log.ts';
import type { ResultsBacklog } from '../metrics/results-metrics.ts';
import { bootId } from '../runtime/boot-id.ts';
import type { Clock, Millis } from '../runtime/clock.ts';
import type { Egress } from '../runtime/egress.ts';
import { Sealing } from '../secrets/sealing.ts';
import { type Secrets, sealingSecrets } from '../secrets/secrets.ts';
import { SealedLetters } from './dead-letters/dead-letters.ts';
import { directoryBox, type LetterBox } from './dead-letters/letter-box.ts';
import { retryLetters } from './dead-letters/retry-letters.ts';
import { type S3Place, s3Box } from './dead-letters/s3-box.ts';
import { type DestinationCheck, deadLettersCheck, streamCheck, webhookChecks } from './destination-checks.ts';
import { destinationsOf } from './destinations.ts';
import type { EventLog } from './event-log.ts';
import { EventStore, type OpenOptions } from './event-store.ts';
import { connectStream } from './kinesis/put-records.ts';
import { StreamSink } from './kinesis/stream-sink.ts';
import type { ResultsCounter } from './results-counter.ts';
import type { Sink } from './sink.ts';
import { type Folder, folderAt } from './spool/folder.ts';
import { Marks } from './spool/marks.ts';
import { PROCESS_ID } from './spool/process-id.ts';
import { writtenIn } from './spool/record.ts';
import { splitSpools } from './spool/recovery.ts';
import { WebhookSink } from './webhook/webhook-sink.ts';
import { hostOf, type WebhookRules } from './webhook/webhook-url.ts';

/** How often dead letters are sealed again if the key has changed: the Deepgram key before it opens for 15 minutes. */
const SEAL_EVERY_MS: Millis = 60_000;
/** A file is appended to until half of it is dead, and rewritten beside itself: three times what is alive. */
const DISK_FACTOR = 3;

/** Settings of the results relay; must survive structured cloning. */
export interface ResultsSettings {
  /** RESULTS_WEBHOOK. */
  readonly webhook: string | undefined;
  /** RESULTS_STREAM. */
  readonly streamArn: string | undefined;
  /** RESULTS_SPOOL_MIB, in bytes, of all threads. */
  readonly spoolBytes: number;
  readonly giveUpMs: Millis;
  /** RESULTS_DEAD_LETTERS. */
  readonly deadLetters: S3Place | undefined;
  readonly allowsLocal: boolean;
}

interface ResultsOptions {
  readonly settings: ResultsSettings;
  /** Undefined without STATE_DIR. */
  readonly stateDir: string | undefined;
  readonly region: string;
  readonly egress: Egress;
  readonly secrets: Pick<Secrets, 'resultsSecret' | 'stateKey' | 'deepgramKey'>;
  /** Names the thread's file. */
  readonly thread: string;
  /** How many threads share RESULTS_SPOOL_MIB. */
  readonly threads: number;
  readonly counter: ResultsCounter;
  readonly clock: Clock;
  readonly timers: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Sinks beside the webhook. */
  readonly sinks?: readonly Sink[];
}

/** The parts of a session's identity that its events need. */
interface EventsOf {
  readonly sessionId: string;
  readonly request: Pick<StartRequest, 'contactId' | 'dgParams' | 'enforceRealtime'> & {
    readonly contact?: ContactFacts | undefined;
  };
  readonly timeZeroEpochMs: Millis;
}

/** A thread's side of the results relay: events from when they happen until they are delivered. */
export class Results {
  readonly rules: WebhookRules;
  readonly #options: ResultsOptions;
  readonly #sinks: readonly Sink[];
  readonly #letters: SealedLetters;
  readonly #letterBox: LetterBox | undefined;
  readonly #store: EventStore;
  #retrying: Promise<RetriedLetters> | undefined;
  readonly #recovery: Parameters<typeof splitSpools>[0] | undefined;

  constructor(options: ResultsOptions) {
    const { settings, secrets, stateDir, clock, timers, log, counter, egress, sinks = [] } = options;
    this.#options = options;
    this.rules = webhookRules(settings, secrets.resultsSecret);
    this.#sinks = [new WebhookSink({ rules: this.rules, clock, timers, egress }), ...streamSinks(options), ...sinks];
    const sealing = new Sealing(sealingSecrets(secrets), 'results');
    this.#letterBox = letterBoxOf(options);
    const onLost = (events: number) => counter.lost(events);
    this.#letters = new SealedLetters({ box: this.#letterBox, sealing, clock, log, onLost });
    clock.every(SEAL_EVERY_MS, () => void this.#letters.sealAgain());
    const folder = stateDir === undefined ? undefined : folderAt(join(stateDir, 'results'));
    // Where nothing tells boots apart, every process counts as one.
    const boot = writtenIn(bootId() ?? `${process.pid}-${Date.now()}`);
    const runtime = runtimeFolder();
    const marks = folder && new Marks(folder, runtime);
    this.#recovery = folder && marks && { folder, marks, process: PROCESS_ID, boot, sealing, log };
    this.#store = new EventStore({
      ...options,
      process: PROCESS_ID,
      folder,
      runtime,
      boot,
      sealing,
      sinks: this.#sinks,
      deadLetters: this.#letters,
      mostBytes: Math.floor(settings.spoolBytes / DISK_FACTOR / options.threads),
      giveUpMs: settings.giveUpMs,
    });
  }

  /** The session's events; undefined when they go nowhere. Never rejects. */
  async openEvents(
    { sessionId, request, timeZeroEpochMs }: EventsOf,
    open: OpenOptions,
  ): Promise<EventLog | undefined> {
    const { webhook, streamArn } = this.#options.settings;
    const destinations = destinationsOf(request, { webhook, hasStream: streamArn !== undefined });
    if (!destinations) return undefined;
    const { contactId, contact, dgParams } = request;
    const [language] = [dgParams['language']].flat();
    return this.#store.open({ sessionId, contactId, contact, language, timeZeroEpochMs, ...destinations }, open);
  }

  /**
   * Finds the sessions of ended threads that have events left, so that any thread can continue them. Resolves with
   * their ids; never rejects.
   * @param threads undefined for all that an earlier process left: before any thread has sessions
   */
  async recover(threads?: readonly string[]): Promise<string[]> {
    return this.#recovery ? splitSpools(this.#recovery, threads) : [];
  }

  /** Delivers what is left of a session that does not resume, and says that it ended. Never rejects. */
  deliverRest(sessionId: string, reason: string): Promise<void> {
    return this.#store.deliverRest(sessionId, reason);
  }

  get backlog(): ResultsBacklog {
    return this.#store.backlog;
  }

  /** Resolves when all events are delivered or dead letters. Call this when no session runs. Never rejects. */
  settle(): Promise<void> {
    return this.#store.settle();
  }

  /** From now on each session gets one more attempt, and is given up if that fails. */
  hurry(): void {
    this.#store.hurry();
  }

  /** Where dead letters are kept, and how many. Throws what the bucket or the disk fails with. */
  async deadLetters(): Promise<{ readonly place: string | undefined; readonly letters: number }> {
    return { place: this.#letterBox?.place, letters: (await this.#letters.names()).length };
  }

  /** Checks of the places that events go to, for an operator. */
  destinationChecks(): DestinationCheck[] {
    const { settings, egress, timers } = this.#options;
    const { webhook, streamArn } = settings;
    const checks = webhookChecks({ webhook, rules: this.rules, egress });
    if (streamArn !== undefined) checks.push(streamCheck(streamArn, egress, timers));
    if (settings.deadLetters && this.#letterBox) checks.push(deadLettersCheck(this.#letterBox));
    return checks;
  }

  /** Delivers the dead letters again, one run at a time. Throws what the bucket or the disk fails with. */
  retryDeadLetters(): Promise<RetriedLetters> {
    this.#retrying ??= this.#retry().finally(() => {
      this.#retrying = undefined;
    });
    return this.#retrying;
  }

  #retry(): Promise<RetriedLetters> {
    return retryLetters({ letters: this.#letters, sinks: this.#sinks, log: this.#options.log });
  }
}

/** Which webhooks are posted to. */
export function webhookRules(
  { webhook, allowsLocal }: Pick<ResultsSettings, 'webhook' | 'allowsLocal'>,
  secret: WebhookRules['secret'],
): WebhookRules {
  return { secret, defaultHost: webhook === undefined ? undefined : hostOf(webhook), allowsLocal };
}

/** In the runtime directory of the unit, which a restart keeps (systemd.exec(5), RuntimeDirectoryPreserve=restart). */
function runtimeFolder(env: NodeJS.ProcessEnv = process.env): Folder | undefined {
  const [directory] = (env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return directory ? folderAt(join(directory, 'results')) : undefined;
}

function letterBoxOf({ settings, stateDir, region, clock, egress }: ResultsOptions): LetterBox | undefined {
  if (settings.deadLetters) return s3Box(settings.deadLetters, region, clock, egress);
  if (stateDir === undefined) return undefined;
  return directoryBox(folderAt(join(stateDir, 'dead-letters')), settings.spoolBytes);
}

function streamSinks({ settings: { streamArn }, timers, log, egress }: ResultsOptions): Sink[] {
  if (streamArn === undefined) return [];
  return [new StreamSink({ connection: connectStream(streamArn, egress), clock: timers, log })];
}
