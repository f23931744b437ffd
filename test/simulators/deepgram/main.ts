/** Stands in for Deepgram's live transcription: the real protocol on the loopback interface. What it says comes from
 *  the audio that it receives: it knows the words of the sample call, and hears that anything else is speech. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadSampleCall } from '../../fixtures/sample-call/read.ts';
import { StandIn } from './server.ts';
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

const options = new Command('deepgram-stand-in')
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', wholeNumber, 0)
  .option('--api-key <key>', 'the key that clients must have', 'stand-in-key')
  .option('--recordings <directory>', 'keep what each connection received here instead of in memory')
  .option('--net-0001-ms <ms>', 'close connections without audio or KeepAlive after this', wholeNumber, 10_000)
  .option('--callback-retry-ms <ms>', 'try a failed callback again after this', wholeNumber, 30_000)
  .option('--rate <number>', 'process no more call time than this per time; off: process at once', rate, 1.25)
  .addOption(
    new Option('--reads <how>', 'read everything at once, or no more than is processed')
      .choices(['buffered', 'paced'])
      .default('buffered'),
  )
  .parse()
  .opts<{
    port: number;
    apiKey: string;
    recordings?: string;
    net0001Ms: number;
    callbackRetryMs: number;
    rate: number;
    reads: 'buffered' | 'paced';
  }>();

const standIn = new StandIn({
  ...options,
  recordings: options.recordings,
  vocabularies: vocabulariesOf(loadSampleCall()),
});
process.once('SIGTERM', () => standIn.stop());
process.once('SIGINT', () => standIn.stop());
process.stdout.write(`${JSON.stringify({ listening: await standIn.listen() })}\n`);
