import type { LambdaResult } from '../../../trigger/result.ts';
import type { KinesisVideoControl } from '../kinesis-video/client.ts';
import { contactFlowEvent } from './event.ts';
import type { StereoCall } from './wav.ts';

/** A phone call to be made. */
export interface PhoneCall {
  readonly contactId: string;
  /** The Kinesis stream that Connect would pick for it. */
  readonly stream: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly audio: StereoCall;
  /** Call time per wall time. */
  readonly speed: number;
}

/** The trigger, invoked as Lambda would. */
export type Trigger = (event: unknown) => Promise<LambdaResult>;

/** A call that has been put through: where its audio is, and what the trigger answered to the flow. */
export interface ConnectedCall {
  readonly contactId: string;
  readonly streamArn: string;
  readonly answer: LambdaResult;
  /** Waits until all of the call's audio has been streamed. */
  readonly ended: () => Promise<unknown>;
}

/** What Connect does when somebody calls: streams the audio to Kinesis Video and invokes the flow's function. */
export async function placeCall(
  call: PhoneCall,
  kinesis: KinesisVideoControl,
  trigger: Trigger,
): Promise<ConnectedCall> {
  const { contactId, stream, attributes, audio, speed } = call;
  const startedAtMs = Date.now();
  await kinesis.putStream(stream);
  const { streamArn, startFragmentNumber, callId } = await kinesis.startCall(stream, {
    contactId,
    customer: bytesOf(audio.customer),
    agent: bytesOf(audio.agent),
    speed,
  });
  const event = contactFlowEvent({ contactId, streamArn, startFragmentNumber, startedAtMs, attributes });
  return { contactId, streamArn, answer: await trigger(event), ended: () => kinesis.callEnd(callId) };
}

/** Samples as Connect streams them: 16-bit little-endian, the order of every machine that Node runs on here. */
function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
