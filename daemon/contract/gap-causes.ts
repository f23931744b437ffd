/**
 * Why audio of a call is missing: reported for the stream before audio went missing (session/gap-cause.ts). `unsent`
 * audio arrived but was never sent; `unfinished` audio was sent, but the line was closed before Deepgram had processed it.
 */
export const GAP_CAUSES = [
  'missing',
  'corrupt',
  'no-contact-id',
  'contact-id-too-late',
  'two-contacts',
  'fragment-gone',
  'missed-at-start',
  'withheld-at-end',
  'unsent',
  'unfinished',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/**
 * Why a part of the transcript is missing: its audio is, or the contact flow did not stream, or Deepgram returned no
 * final result for speech (`no-results`), or events could not be delivered (`undelivered`) and became dead letters.
 */
export const TRANSCRIPT_GAP_CAUSES = [...GAP_CAUSES, 'not-streamed', 'no-results', 'undelivered'] as const;
