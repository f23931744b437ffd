import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { loadSampleCall } from '../../fixtures/sample-call/read.ts';
import { KinesisVideoControl } from '../kinesis-video/client.ts';
import { placeCall } from './caller.ts';
import { readStereoCall } from './wav.ts';

interface Options {
  kinesis: string;
  integrator: string;
  wav?: string;
  attribute: Record<string, string>;
  contactId?: string;
  stream?: string;
  speed: number;
  calls: number;
}

const options = new Command('connect')
  .description('Simulates Amazon Connect: streams a phone call to Kinesis Video and invokes the trigger.')
  .requiredOption('--kinesis <url>', 'the Kinesis Video simulator')
  .requiredOption('--integrator <host:port>', 'where the trigger finds the integrator')
  .option('--wav <file>', 'the call: stereo, 8 kHz, 16 bits, customer left and agent right (default: the sample call)')
  .option('--attribute <name=value>', 'a contact attribute; may be repeated', withAttribute, {})
  .option('--contact-id <id>', 'the contact id (default: a random one)')
  .option('--stream <name>', 'the Kinesis stream, with a number added for several calls (default: one per contact)')
  .option('--speed <factor>', 'speed relative to real time', Number, 1)
  .option('--calls <number>', 'number of calls at the same time', Number, 1)
  .parse()
  .opts<Options>();

if (options.contactId !== undefined && options.calls > 1) {
  throw new Error('--contact-id names one contact and cannot be combined with --calls: each call gets its own id.');
}

// The trigger reads its settings when it is loaded, as in Lambda. TRIGGER_SECRET and LOG_LEVEL are already set.
process.env['KVS_DG_INTEGRATOR_DOMAIN'] = options.integrator;
const { handler } = await import('../../../trigger/handler.ts');
const audio = options.wav === undefined ? loadSampleCall() : readStereoCall(readFileSync(options.wav));
const kinesis = new KinesisVideoControl(options.kinesis);
const answered = await Promise.all(Array.from({ length: options.calls }, (_, index) => makeCall(index)));
if (answered.includes(false)) process.exitCode = 1;

/** Plays one of the calls; returns whether the trigger started a session. */
async function makeCall(index: number): Promise<boolean> {
  const contactId = options.contactId ?? randomUUID();
  const named = options.calls > 1 ? `${options.stream}-${index + 1}` : options.stream;
  const stream = options.stream === undefined ? `connect-contact-${contactId}` : (named ?? '');
  const { attribute: attributes, speed } = options;
  const call = await placeCall({ contactId, stream, attributes, audio, speed }, kinesis, handler);
  say({ contactId, streamArn: call.streamArn, answer: call.answer });
  await call.ended();
  say({ ended: contactId });
  return call.answer['lambdaResult'] === 'success';
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function withAttribute(text: string, attributes: Record<string, string>): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Error(`--attribute ${text} is not name=value.`);
  return { ...attributes, [text.slice(0, equals)]: text.slice(equals + 1) };
}
