import type { ListenParams } from './params.ts';
import type { TranscribedWord, Utterance } from './transcriber.ts';

/** A JSON message of the protocol. */
export type Message = Record<string, unknown>;

/** What messages contain about their connection. */
export interface MessageContext {
  requestId: string;
  params: ListenParams;
  /** Added to the times of words. */
  wordShiftS?: number;
}

/** What the last message contains about the audio. */
interface AudioSummary {
  sha256: string;
  openedAt: string;
  durationSamples: number;
}

/** An arbitrary UUID: there is one model, whatever its name. */
const MODEL_UUID = '0f4d5f0e-6c1b-4c57-9d2c-5a3c1d6f7e88';
const MODEL_VERSION = '2026-01-01.0';
/** Words match sample by sample, so recognition is certain; real values are just below 1. */
const CONFIDENCE = 0.99;

/** A `Results` message for one channel. */
export function resultsMessage(
  { requestId, params, wordShiftS = 0 }: MessageContext,
  channel: number,
  utterance: Utterance,
): Message {
  const { startSample, endSample, words, isFinal, speechFinal, fromFinalize } = utterance;
  return {
    type: 'Results',
    channel_index: [channel, transcribedChannels(params)],
    duration: (endSample - startSample) / params.sampleRateHz,
    start: startSample / params.sampleRateHz,
    is_final: isFinal,
    speech_final: speechFinal,
    from_finalize: fromFinalize,
    channel: {
      alternatives: [
        {
          transcript: words.map((word) => (params.punctuated ? word.written : word.word)).join(' '),
          confidence: words.length > 0 ? CONFIDENCE : 0,
          words: words.map((word) => wordEntry(word, params, wordShiftS)),
        },
      ],
    },
    metadata: {
      request_id: requestId,
      model_info: modelInfo(params),
      model_uuid: MODEL_UUID,
      ...(params.tags.length > 0 && { tags: params.tags }),
      ...extraOf(params),
    },
  };
}

/** The `Metadata` message, a connection's last. */
export function metadataMessage({ requestId, params }: MessageContext, audio: AudioSummary): Message {
  return {
    type: 'Metadata',
    transaction_key: 'deprecated',
    request_id: requestId,
    sha256: audio.sha256,
    created: audio.openedAt,
    duration: params.sampleRateHz > 0 ? audio.durationSamples / params.sampleRateHz : 0,
    channels: transcribedChannels(params),
    models: [MODEL_UUID],
    model_info: { [MODEL_UUID]: modelInfo(params) },
    ...extraOf(params),
  };
}

/** Number of separately transcribed channels: without multichannel, all are mixed into one. */
export function transcribedChannels({ multichannel, channels }: ListenParams): number {
  return multichannel ? channels : 1;
}

function wordEntry(
  { word, written, startSample, endSample }: TranscribedWord,
  params: ListenParams,
  shiftS: number,
): Message {
  return {
    word,
    start: Math.max(0, startSample / params.sampleRateHz + shiftS),
    end: Math.max(0, endSample / params.sampleRateHz + shiftS),
    confidence: CONFIDENCE,
    ...(params.punctuated && { punctuated_word: written }),
  };
}

function modelInfo({ model }: ListenParams): Message {
  return { name: model, version: MODEL_VERSION, arch: model.split('-').slice(0, 2).join('-') };
}

function extraOf({ extra }: ListenParams): Message {
  return Object.keys(extra).length > 0 ? { extra } : {};
}
