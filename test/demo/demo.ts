import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import { CallBook } from './call-book.ts';
import { receiveCallbacks } from './callback.ts';
import type { Children } from './children.ts';
import { servePage } from './page-server.ts';
import { playCalls } from './play.ts';
import { type DeepgramChoice, MAX_CALLS, type Options } from './settings.ts';
import { type Stack, startStack } from './stack.ts';
import type { Terminal } from './terminal.ts';
import { takeMessage, watchLog, watchSessions } from './watch.ts';

export interface DemoDeps {
  readonly options: Options;
  readonly deepgram: DeepgramChoice;
  readonly terminal: Terminal;
  readonly children: Children;
  /** Runs at the end, however the demo ends. */
  readonly cleanup: AsyncDisposableStack;
}

/** Plays the sample call through the whole integration and shows it. */
export class Demo {
  /** Rejects if the demo cannot continue; never resolves. */
  readonly failed: Promise<never>;
  readonly #deps: DemoDeps;
  readonly #fail: (error: unknown) => void;
  readonly #phrases = loadSampleCall().phrases;
  readonly #book: CallBook;
  #play: ((calls: number) => void) | undefined;
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
    const { options } = this.#deps;
    const directory = mkdtempSync(join(tmpdir(), 'demo-'));
    this.#deps.cleanup.defer(() => rmSync(directory, { recursive: true }));
    const controlSocket = join(directory, 'control.sock');
    const callbackUrl = await this.#show(controlSocket);
    const stack = await this.#start(controlSocket);
    this.#watch(stack);
    this.#play = (calls) => {
      this.#played += calls;
      const playing = { calls, speed: options.speed, callbackUrl };
      playCalls(this.#deps.children, stack, this.#book, playing).catch(this.#fail);
    };
    const checked = this.#book.checked(options.calls);
    this.#play(options.calls);
    if (!options.once) return this.#offerMoreCalls();
    const calls = await checked;
    return calls.every(({ state, missing }) => state === 'ended' && missing?.length === 0) ? 0 : 1;
  }

  /** Serves the page and receives callbacks. Returns the callback URL if Deepgram can reach it. */
  async #show(controlSocket: string): Promise<string | undefined> {
    const { options, deepgram, terminal, cleanup } = this.#deps;
    const page = await servePage({
      port: options.port,
      book: this.#book,
      controlSocket,
      transcriber: deepgram.name,
      expected: this.#phrases.length,
      playAgain: options.once ? undefined : () => this.#playAgain(),
    });
    cleanup.defer(() => page.close());
    terminal.say(`Page: ${page.url}`);
    // A public service cannot post to this machine's loopback interface.
    if (deepgram.isReal) return undefined;
    const callbacks = await receiveCallbacks((contactId, message) => takeMessage(contactId, message, this.#book));
    cleanup.defer(() => callbacks.close());
    return callbacks.urlTemplate;
  }

  async #start(controlSocket: string): Promise<Stack> {
    const { deepgram, terminal, children, cleanup } = this.#deps;
    cleanup.defer(() => children.stop());
    const stack = await startStack(children, deepgram, controlSocket, this.#fail);
    terminal.say(`Path: Connect simulator > Kinesis Video simulator > integratord > ${deepgram.name}`);
    if (deepgram.isReal) {
      terminal.say('Real recognition is never exact: a phrase counts as arrived with half of its words.');
    }
    return stack;
  }

  /** Undone before the processes are stopped, so that the end of their calls is not reported. */
  #watch({ daemon, controlSocket }: Stack): void {
    const { terminal, cleanup } = this.#deps;
    cleanup.defer(this.#book.listen((call, news) => terminal.show(call, news, this.#phrases.length)));
    const polling = new AbortController();
    cleanup.defer(() => polling.abort());
    watchLog(daemon, this.#book).catch(this.#fail);
    watchSessions(controlSocket, this.#book, daemon, polling.signal).catch(this.#fail);
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
    return this.#played - this.#book.views().filter(({ missing }) => missing).length;
  }
}
