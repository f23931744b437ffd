/** "Move one flow": an engineer takes a flow that invokes the original, checks it, and moves it here. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NumberedEvent } from '../../daemon/contract/events.ts';
import { type SessionTranscript, transcriptsOf } from '../../trigger/receiver/transcript.ts';
import { type ResultsReceiver, receiveResults } from '../demo/receiver.ts';
import { type ActionJson, actionIn, type FlowJson } from '../flows/our-flows.ts';
import { runFlow } from '../flows/run-flow.ts';
import { Program } from '../support/process.ts';
import { Stage } from '../system/stage.ts';
import { expect, run, StoryFailed, say } from './telling.ts';

const ATTRIBUTES = 'Set Deepgram parameters';
/** A flow in the shape of the original's: the caller waits for the function. */
const FLOW = 'trigger/flows/sample-inbound-synchronous.json';

const directory = mkdtempSync(join(tmpdir(), 'story-'));
const file = join(directory, 'my-flow.json');
let stage: Stage | undefined;
let receiver: ResultsReceiver | undefined;
try {
  say('The flow invokes the original, which ignored an attribute that it did not support.');
  const flow = JSON.parse(readFileSync(FLOW, 'utf8')) as FlowJson;
  const attributes = attributesOf(actionIn(flow, ATTRIBUTES));
  attributes['dg_sample_rate'] = '16000';
  expect(await check(1), /error: .*dg_sample_rate/);

  say('Without it, the flow is accepted as it is.');
  delete attributes['dg_sample_rate'];
  expect(await check(0), /: ok/);

  say('Without dg_callback, the transcript comes through the daemon, every word once, to RESULTS_WEBHOOK.');
  delete attributes['dg_callback'];
  expect(await check(0), /: ok/);

  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const events: NumberedEvent[] = [];
  receiver = await receiveResults(join(directory, 'received'), (event) => {
    if ('sequence' in event) events.push(event);
    if (event.type === 'session.ended') resolve();
  });
  const results = { RESULTS_WEBHOOK: receiver.url, RESULTS_SECRET: receiver.secret, RESULTS_ALLOW_LOCAL: 'on' };
  stage = await Stage.open({ env: { STATE_DIR: join(directory, 'state'), ...results } });
  await call(stage, flow);
  await ended;
  const [transcript] = transcriptsOf(events);
  if (!transcript) throw new StoryFailed('there is no transcript');
  show(transcript);

  async function check(code: number): Promise<string> {
    writeFileSync(file, JSON.stringify(flow));
    return run('npm run check:flows -- my-flow.json', 'trigger/flows/check.ts', [file], code);
  }
} finally {
  await stage?.close();
  receiver?.close();
  rmSync(directory, { recursive: true });
}

/** Calls the flow: what it sets is what the trigger gets. */
async function call({ kinesis, url }: Stage, flow: FlowJson): Promise<void> {
  const invocation = runFlow(flow, { result: () => 'success' }).find((each) => 'invokedWith' in each);
  if (!invocation || !('invokedWith' in invocation)) throw new StoryFailed('the flow does not invoke the trigger');
  const set = Object.entries(invocation.invokedWith).flatMap(([name, value]) => ['--attribute', `${name}=${value}`]);
  const args = ['--kinesis', kinesis.url, '--integrator', new URL(url).host, '--speed', '8', ...set];
  say(`A call: the flow invokes the trigger with ${JSON.stringify(invocation.invokedWith)}`);
  const connect = new Program('test/simulators/connect/main.ts', args);
  const { answer } = await connect.line((line) => 'answer' in line);
  expect(JSON.stringify(answer), /"lambdaResult":"success"/);
  await connect.exited;
}

function show({ lines, missing, ended }: SessionTranscript): void {
  say(`Its transcript, ${ended?.outcome}, ${missing.length} events missing:`);
  const text = lines.map((line) => (line.type === 'speech' ? `${line.speaker}: ${line.text}` : 'gap')).join('\n');
  process.stdout.write(`${text}\n`);
  expect(text, /^AGENT: thank you for calling brightway parcels .*^CUSTOMER: goodbye$/ms);
  if (missing.length > 0 || ended?.outcome !== 'completed') throw new StoryFailed('the transcript is not whole');
}

function attributesOf({ Parameters }: ActionJson): Record<string, string> {
  return (Parameters as { Attributes: Record<string, string> }).Attributes;
}
