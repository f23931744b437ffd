import type { LambdaResult } from '../../../trigger/result.ts';
import type { KinesisVideoControl } from '../kinesis-video/client.ts';
import { contactFlowEvent } from './event.ts';
import type { StereoCall } from './wav.ts';

/** A phone call to make. */
interface PhoneCall {
  readonly contactId: string;
  /** The Kinesis stream that Connect would choose. */
  readonly stream: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly audio: StereoCall;
  /** Relative to real time. */
  readonly speed: number;
}

/** The trigger, invoked as by Lambda. */
type Trigger = (event: unknown) => Promise<LambdaResult>;

/** A call in progress, and the trigger's response to the flow. */
interface ConnectedCall {
  readonly contactId: string;
  readonly streamArn: string;
  readonly answer: LambdaResult;
  /** Waits until all of the call's audio has been streamed. */
  readonly ended: () => Promise<unknown>;
}

/** Does what Connect does for a call: streams the audio to Kinesis Video and invokes the flow's function. */
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

/** 16-bit little-endian, as Connect streams samples and as this machine stores them. */
function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
