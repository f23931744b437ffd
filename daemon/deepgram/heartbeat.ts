import { BYTES_PER_MS } from '../contract/audio-format.ts';
import type { Millis } from '../runtime/clock.ts';
import type { TcpQueue } from '../runtime/tcp-queues.ts';

/** daemon/deepgram/README.md, "Protocol": 10 s of silence close the stream; one KeepAlive every 3-5 s is recommended. */
const KEEP_ALIVE_AFTER_MS: Millis = 4000;
/** A ping follows this much audio: its pong confirms that Deepgram has read up to there. */
const PING_EVERY_BYTES = 1000 * BYTES_PER_MS;
/** Without audio a ping follows the last one after this time, to detect a dead line. */
const PING_AFTER_MS: Millis = 2000;
/** To a peer that leaves this many unanswered, a ping only follows a pause: its TCP still has to acknowledge something. */
const MOST_UNANSWERED = 32;
/** A later pong is overdue: TCP is asked what has arrived. A window of 2 s holds a ping's second and this. */
const PONG_OVERDUE_MS: Millis = 1000;
/** With the ping and the check interval, a half-open line is noticed within 15 s, and sooner if TCP shows nothing either. */
const DEAD_AFTER_MS: Millis = 12_000;
const TCP_DEAD_AFTER_MS: Millis = 10_000;
const RETRANSMITTING_DEAD_AFTER_MS: Millis = 6000;
const MANY_RETRANSMITS = 3;
/** For a peer that acknowledges by TCP only, the last part of the audio counts as unread. */
const UNANSWERED_BYTES = 10_000 * BYTES_PER_MS;

/** Interval between answers while audio flows: a ping's second, plus the delay of a read. */
const ANSWERS_EVERY_MS: Millis = 1500;
/** A peer that has not answered for longer, on a line that is not dead, counts as one that never answers. */
const ANSWERS_WITHIN_MS: Millis = 60_000;

/** Several ping intervals: TCP may acknowledge for a minute what a hanging program never reads. */
const SILENT_AFTER_MS: Millis = 5000;

interface Ping {
  readonly position: number;
  readonly sentAtMs: Millis;
}

/** What had been sent when the kernel was asked what has arrived. */
interface TcpQuery {
  /** How much of the call the kernel had taken. */
  readonly writtenTo: number;
  /** When that was written; undefined if something still waited in the process. */
  readonly writtenAtMs: Millis | undefined;
}

/**
 * What one connection must send to stay alive, what has arrived, and whether the line is dead. Pongs are hints: any
 * message, any pong and bytes that the peer's TCP acknowledges show life. It decides only: its owner sends, asks TCP,
 * and passes the time. Positions are bytes of the call.
 */
export class Heartbeat {
  /** Unanswered pings, oldest first. */
  readonly #pings: Ping[] = [];
  readonly #startsAt: number;
  #confirmedTo: number;
  #acknowledgedTo: number;
  #pingedTo: number;
  #pingedAtMs: Millis;
  #sentAtMs: Millis;
  #aliveAtMs: Millis;
  /** When the peer's program last showed that it works: by a message, or a pong that answers a ping. */
  #answeredAtMs: Millis = -Infinity;
  /** TCP's last answer; undefined until it is asked, or if it does not say. */
  #tcp: TcpQueue | undefined;

  /** @param position where the connection's audio begins */
  constructor(position: number, nowMs: Millis) {
    this.#startsAt = position;
    this.#confirmedTo = position;
    this.#acknowledgedTo = position;
    this.#pingedTo = position;
    this.#pingedAtMs = nowMs;
    this.#sentAtMs = nowMs;
    this.#aliveAtMs = nowMs;
  }

  /** Everything before this position has arrived, at least at the peer's TCP. */
  get arrivedTo(): number {
    return Math.max(this.#confirmedTo, this.#acknowledgedTo);
  }

  /**
   * What a reconnect need not repeat. A peer that has confirmed something is expected to confirm the rest; of one that
   * never answers, TCP's word has to do.
   * @param sent how much of the call was sent
   */
  readTo(sent: number): number {
    if (this.#tcp === undefined || this.#confirmedTo > this.#startsAt) return this.#confirmedTo;
    return Math.max(this.#confirmedTo, Math.min(this.#acknowledgedTo, sent - UNANSWERED_BYTES));
  }

  /**
   * Until when the peer can have processed audio: until now if it answers, until its last answer if it has stopped,
   * because a line is dead long before that shows. For a peer that gives no answers, TCP's word has to do; where TCP does
   * not say either, the peer is taken to work.
   */
  workedUntilMs(nowMs: Millis): Millis {
    if (nowMs - this.#answeredAtMs <= ANSWERS_EVERY_MS) return nowMs;
    if (nowMs - this.#answeredAtMs <= ANSWERS_WITHIN_MS) return this.#answeredAtMs;
    return this.#tcp ? this.#aliveAtMs : nowMs;
  }

  /** Audio or a KeepAlive was sent. */
  sent(nowMs: Millis): void {
    this.#sentAtMs = nowMs;
  }

  /** A ping was sent after the audio before `position`. */
  pinged(position: number, nowMs: Millis): void {
    this.#pingedTo = position;
    this.#pingedAtMs = nowMs;
    if (this.#pings.length >= MOST_UNANSWERED) this.#pings.pop();
    this.#pings.push({ position, sentAtMs: nowMs });
  }

  /** A message or a close frame came. */
  signOfLife(nowMs: Millis): void {
    this.#aliveAtMs = nowMs;
    this.#answeredAtMs = nowMs;
  }

  /** A pong came. If it answers a ping sent at `position`, it answers all earlier ones; others say nothing (RFC 6455, 5.5.3). */
  ponged(position: number, nowMs: Millis): void {
    this.#aliveAtMs = nowMs;
    const answered = this.#pings.findIndex((ping) => ping.position === position);
    if (answered < 0) return;
    this.#answeredAtMs = nowMs;
    this.#pings.splice(0, answered + 1);
    this.#confirmedTo = Math.max(this.#confirmedTo, position);
  }

  /** A result shows that Deepgram has read the call up to `position`. */
  transcribed(position: number): void {
    this.#confirmedTo = Math.max(this.#confirmedTo, position);
  }

  isPongOverdue(nowMs: Millis): boolean {
    return nowMs - (this.#pings[0]?.sentAtMs ?? nowMs) >= PONG_OVERDUE_MS;
  }

  /** What to remember while the kernel is asked. */
  queried(sent: number, bufferedBytes: number): TcpQuery {
    const writtenAtMs = bufferedBytes === 0 ? Math.max(this.#sentAtMs, this.#pingedAtMs) : undefined;
    return { writtenTo: sent - bufferedBytes, writtenAtMs };
  }

  /** TCP's answer: `queue` is undefined if it does not say. */
  acknowledged({ writtenTo, writtenAtMs = 0 }: TcpQuery, queue: TcpQueue | undefined, nowMs: Millis): void {
    this.#tcp = queue;
    const arrivedTo = writtenTo - (queue?.unackedBytes ?? 0);
    const hasProgressed = arrivedTo > this.#acknowledgedTo;
    this.#acknowledgedTo = Math.max(this.#acknowledgedTo, arrivedTo);
    if (!queue) return;
    if (hasProgressed) this.#aliveAtMs = nowMs;
    // All is acknowledged: the peer lived when it got the last of it.
    else if (queue.unackedBytes === 0) this.#aliveAtMs = Math.max(this.#aliveAtMs, writtenAtMs);
  }

  /** True if a peer that used to answer has stopped, whatever its TCP acknowledges. */
  hasFallenSilent(nowMs: Millis): boolean {
    return this.#answeredAtMs > -Infinity && nowMs - this.#answeredAtMs > SILENT_AFTER_MS;
  }

  isPingDue(position: number, nowMs: Millis): boolean {
    const isDueForAudio = this.#pings.length < MOST_UNANSWERED && position - this.#pingedTo >= PING_EVERY_BYTES;
    return isDueForAudio || nowMs - this.#pingedAtMs >= PING_AFTER_MS;
  }

  isKeepAliveDue(nowMs: Millis): boolean {
    return nowMs - this.#sentAtMs >= KEEP_ALIVE_AFTER_MS;
  }

  /** False if TCP does not say what has arrived: a peer that does not answer pings looks like a dead line. */
  get isTcpKnown(): boolean {
    return this.#tcp !== undefined;
  }

  isDead(nowMs: Millis): boolean {
    const oldest = this.#pings[0];
    if (!oldest) return false;
    return nowMs - Math.max(this.#aliveAtMs, oldest.sentAtMs) > this.#deadAfterMs;
  }

  get #deadAfterMs(): Millis {
    if (!this.#tcp) return DEAD_AFTER_MS;
    return this.#tcp.retransmits >= MANY_RETRANSMITS ? RETRANSMITTING_DEAD_AFTER_MS : TCP_DEAD_AFTER_MS;
  }
}
