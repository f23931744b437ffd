/** Stands in for Deepgram's live transcription: the real protocol on the loopback interface. What it says comes from
 *  the audio that it receives: it knows the words of the sample call, and hears that anything else is speech. */
import { Command, InvalidArgumentError } from 'commander';
import { loadSampleCall } from '../../fixtures/sample-call/read.ts';
import { StandIn } from './server.ts';
import { vocabulariesOf } from './vocabulary.ts';

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

const options = new Command('deepgram-stand-in')
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', wholeNumber, 0)
  .option('--api-key <key>', 'the key that clients must have', 'stand-in-key')
  .option('--recordings <directory>', 'keep what each connection received here instead of in memory')
  .option('--net-0001-ms <ms>', 'close connections without audio or KeepAlive after this', wholeNumber, 10_000)
  .option('--callback-retry-ms <ms>', 'try a failed callback again after this', wholeNumber, 30_000)
  .parse()
  .opts<{ port: number; apiKey: string; recordings?: string; net0001Ms: number; callbackRetryMs: number }>();

const standIn = new StandIn({
  ...options,
  recordings: options.recordings,
  vocabularies: vocabulariesOf(loadSampleCall()),
});
process.once('SIGTERM', () => standIn.stop());
process.once('SIGINT', () => standIn.stop());
process.stdout.write(`${JSON.stringify({ listening: await standIn.listen() })}\n`);
