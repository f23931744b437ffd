import type { LambdaResult } from '../../trigger/result.ts';
import type { CallBook } from './call-book.ts';
import { type Children, lastWords } from './children.ts';
import { DemoFailed } from './failure.ts';
import { linesOf } from './follow.ts';
import type { Stack } from './stack.ts';

/** How to play the sample call. */
interface Playing {
  readonly calls: number;
  readonly speed: number;
  /** Whether the real Deepgram transcribes. */
  readonly isReal: boolean;
}

/** Plays calls from Connect's simulator through the trigger; resolves when the last one has been streamed. Throws
 *  DemoFailed if the simulator exits first. */
export async function playCalls(children: Children, stack: Stack, book: CallBook, playing: Playing): Promise<void> {
  const args = ['--kinesis', stack.kinesisUrl, '--integrator', stack.daemon.host];
  args.push('--calls', String(playing.calls), '--speed', String(playing.speed));
  for (const [name, value] of Object.entries(attributesFor(playing))) args.push('--attribute', `${name}=${value}`);
  const connect = children.start('The Connect simulator', 'test/simulators/connect/main.ts', args, {
    TRIGGER_SECRET: stack.triggerSecret,
  });
  let spoken = 0;
  for await (const { contactId, answer, ended } of linesOf(connect)) {
    if (typeof contactId === 'string' && isAnswer(answer) && answer.lambdaResult === 'fail') {
      book.refused(contactId, answer.reason);
    }
    if (typeof ended === 'string') spoken += 1;
  }
  if (spoken < playing.calls) {
    throw new DemoFailed(`The Connect simulator exited during the call.${lastWords(connect)}`);
  }
}

/** Contact attributes as a flow would set them. */
function attributesFor({ isReal }: Playing): Record<string, string> {
  const common = { dg_model: 'nova-3', dg_interim_results: 'true', dg_tag: 'demo' };
  // Smart formatting writes numbers as digits, which are not in the script.
  return isReal ? { ...common, dg_punctuate: 'true' } : { ...common, dg_smart_format: 'true' };
}

function isAnswer(answer: unknown): answer is LambdaResult {
  return typeof answer === 'object' && answer !== null && 'lambdaResult' in answer;
}
