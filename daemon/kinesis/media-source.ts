import type { Millis } from '../runtime/clock.ts';
import type { ReadingStart } from './contact.ts';
import type { MediaBytes } from './http/media-body.ts';

/** One GetMedia that Kinesis has answered. */
export interface Media {
  readonly requestId: string | undefined;
  /** MKV, until the service ends it or the connection breaks. */
  readonly body: MediaBytes;
  /** True if it begins at a fragment number, because Kinesis rejected the time or the token that was asked for. */
  readonly isByNumber?: boolean;
  /** Ends the connection, and `body` with it. */
  close(): void;
}

/** Where a GetMedia begins: at the start of a reading, or at a time when the fragment to resume after has expired. */
export type Start = ReadingStart | { readonly atEpochMs: Millis };

/** Where streams are read. */
export interface MediaSource {
  /**
   * Opens one GetMedia, within the service's rate limits. Throws KinesisRefused when Kinesis answers anything but 200,
   * or does not answer.
   */
  getMedia(streamArn: string, start: Start, signal: AbortSignal): Promise<Media>;
}
