import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { Breaker } from './breaker.ts';
import { isFaultless, type Victim } from './call.ts';
import { CallBook } from './call-book.ts';
import type { Children } from './children.ts';
import { servePage } from './page-server.ts';
import { playCalls } from './play.ts';
import { type ResultsReceiver, receiveResults } from './receiver.ts';
import { type DeepgramChoice, MAX_CALLS, type Options } from './settings.ts';
import { controlSocketIn, type Stack, startStack } from './stack.ts';
import type { Terminal } from './terminal.ts';
import { watchLog, watchSessions } from './watch.ts';

interface DemoDeps {
  readonly options: Options;
  readonly deepgram: DeepgramChoice;
  readonly terminal: Terminal;
  readonly children: Children;
  /** Runs at the end, however the demo ends. */
  readonly cleanup: AsyncDisposableStack;
}

/** With --break, the first two sentences stay whole. */
const FINALS_BEFORE_BREAK = 2;

/** Plays the sample call through the whole integration and shows it. */
export class Demo {
  /** Rejects if the demo cannot continue; never resolves. */
  readonly failed: Promise<never>;
  readonly #deps: DemoDeps;
  readonly #fail: (error: unknown) => void;
  readonly #phrases = loadSampleCall().phrases;
  readonly #book: CallBook;
  #play: ((calls: number) => void) | undefined;
  #breaker: Breaker | undefined;
  #played = 0;

  constructor(deps: DemoDeps) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.#fail = reject;
    this.#deps = deps;
    this.#book = new CallBook(this.#phrases, deps.deepgram.share);
  }

  /** Sets everything up and plays the calls. Resolves with the exit code after the calls with --once, else never. */
  async run(): Promise<number> {
    const { options, deepgram } = this.#deps;
    const directory = mkdtempSync(join(tmpdir(), 'demo-'));
    this.#deps.cleanup.defer(() => rmSync(directory, { recursive: true }));
    const receiver = await this.#show(directory);
    const stack = await this.#start(directory, receiver);
    this.#watch(stack, directory);
    this.#breaker = this.#breakerOf(stack);
    if (options.break) this.#breaker.arm(FINALS_BEFORE_BREAK);
    this.#play = (calls) => {
      this.#played += calls;
      const playing = { calls, speed: options.speed, isReal: deepgram.isReal };
      playCalls(this.#deps.children, stack, this.#book, playing).catch(this.#fail);
    };
    const checked = this.#book.checked(options.calls);
    this.#play(options.calls);
    if (!options.once) return this.#offerMoreCalls();
    const calls = await checked;
    return calls.every(isFaultless) && !this.#isUnbroken() ? 0 : 1;
  }

  /** Whether a break was asked for, and the call ended before it. */
  #isUnbroken(): boolean {
    const isUnbroken = this.#breaker?.isArmed === true;
    if (isUnbroken) this.#deps.terminal.say('The call ended before everything was broken: choose a lower --speed.');
    return isUnbroken;
  }

  /** Serves the page and receives results. */
  async #show(directory: string): Promise<ResultsReceiver> {
    const { options, deepgram, terminal, cleanup } = this.#deps;
    const page = await servePage({
      port: options.port,
      book: this.#book,
      controlSocket: controlSocketIn(directory),
      transcriber: deepgram.name,
      isRealTime: options.speed === 1,
      expected: this.#phrases.length,
      playAgain: options.once ? undefined : () => this.#playAgain(),
      breakAll: options.once ? undefined : () => this.#break(),
    });
    cleanup.defer(() => page.close());
    terminal.say(`Page: ${page.url}`);
    const receiver = await receiveResults(join(directory, 'received'), (event) => this.#book.took(event));
    cleanup.defer(() => receiver.close());
    return receiver;
  }

  async #start(directory: string, receiver: ResultsReceiver): Promise<Stack> {
    const { deepgram, terminal, children, cleanup } = this.#deps;
    cleanup.defer(() => children.stop());
    const stack = await startStack({
      children,
      deepgram,
      directory,
      receiver,
      onDaemon: (program) => void watchLog(program, this.#book).catch(this.#fail),
      onDeath: this.#fail,
    });
    const path = [
      'Connect simulator',
      'Kinesis Video simulator',
      'integratord',
      deepgram.name,
      'integratord',
      'receiver',
    ];
    terminal.say(`Path: ${path.join(' > ')}`);
    if (deepgram.isReal) {
      terminal.say('Real recognition is never exact: a phrase counts as arrived with half of its words.');
    }
    return stack;
  }

  /** Undone before the processes are stopped, so that the end of their calls is not reported. */
  #watch({ daemon }: Stack, directory: string): void {
    const { terminal, cleanup } = this.#deps;
    cleanup.defer(this.#book.listen((call, news) => terminal.show(call, news, this.#phrases.length)));
    const polling = new AbortController();
    cleanup.defer(() => polling.abort());
    watchSessions(controlSocketIn(directory), this.#book, daemon, polling.signal).catch(this.#fail);
  }

  #breakerOf({ daemon, breakDeepgram }: Stack): Breaker {
    const victims: { victim: Victim; crash: () => Promise<void> }[] = [];
    if (breakDeepgram) victims.push({ victim: 'deepgram', crash: breakDeepgram });
    victims.push({ victim: 'integratord', crash: () => daemon.crashAndRestart() });
    return new Breaker({ book: this.#book, victims, onFailure: this.#fail });
  }

  #break(): boolean {
    return this.#running > 0 && this.#breaker?.arm() === true;
  }

  #offerMoreCalls(): Promise<never> {
    const { terminal, cleanup } = this.#deps;
    const hasKeys = process.stdin.isTTY;
    const offer = `Play the sample call again: with the page's button${hasKeys ? ', or Enter' : ''}. Ctrl-C ends.`;
    const offerAgain = this.#book.listen((_call, { kind }) => {
      if (kind === 'checked' && this.#running === 0) terminal.say(offer);
    });
    cleanup.defer(offerAgain);
    if (hasKeys) process.stdin.on('data', () => this.#playAgain());
    return this.failed;
  }

  #playAgain(): boolean {
    if (!this.#play || this.#running >= MAX_CALLS) return false;
    this.#play(1);
    return true;
  }

  get #running(): number {
    return this.#played - this.#book.views().filter(({ faults }) => faults).length;
  }
}
