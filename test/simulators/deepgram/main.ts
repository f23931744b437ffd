/** Simulates Deepgram's live transcription with its real protocol. Results depend on the audio: it recognizes the words
 *  of the sample call, and other speech as such. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadSampleCall } from '../../fixtures/sample-call/read.ts';
import { Simulator } from './server.ts';
import { vocabulariesOf } from './vocabulary.ts';

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function rate(text: string): number {
  const value = text === 'off' ? Number.POSITIVE_INFINITY : Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('Give a number above 0, or off.');
  return value;
}

const options = new Command('deepgram-simulator')
  .option('--port <number>', 'port on 127.0.0.1; 0 selects a free one', wholeNumber, 0)
  .option('--api-key <key>', 'API key that clients must send', 'simulator-key')
  .option('--recordings <directory>', 'store received audio here instead of in memory')
  .option('--net-0001-ms <ms>', 'close connections after this long without audio or KeepAlive', wholeNumber, 10_000)
  .option('--callback-retry-ms <ms>', 'delay before a failed callback is retried', wholeNumber, 30_000)
  .option('--rate <number>', 'maximum processing speed relative to real time, or off', rate, 1.25)
  .addOption(
    new Option('--reads <how>', 'read everything immediately, or only as much as is processed')
      .choices(['buffered', 'paced'])
      .default('buffered'),
  )
  .option('--word-shift-ms <ms>', 'word times of a connection are off by a random amount of up to this', wholeNumber, 0)
  .option('--no-silence-finals', 'finals for speech only, not for silence')
  .parse()
  .opts<{
    port: number;
    apiKey: string;
    recordings?: string;
    net0001Ms: number;
    callbackRetryMs: number;
    rate: number;
    reads: 'buffered' | 'paced';
    wordShiftMs: number;
    silenceFinals: boolean;
  }>();

const simulator = new Simulator({
  ...options,
  recordings: options.recordings,
  vocabularies: vocabulariesOf(loadSampleCall()),
});
process.once('SIGTERM', () => simulator.stop());
process.once('SIGINT', () => simulator.stop());
process.stdout.write(`${JSON.stringify({ listening: await simulator.listen() })}\n`);
