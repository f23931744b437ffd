import { z } from 'zod';

/** The results settings that depend on each other. */
interface ResultsSettings {
  readonly transcriptStream: string;
  readonly transcriptStreamKmsKeyArn?: string | undefined;
  readonly webhook?: string | undefined;
  readonly webhookSecretArn?: string | undefined;
  readonly webhookSecretKmsKeyArn?: string | undefined;
  readonly receiver: 'on' | 'off';
  readonly profile: 'standard' | 'small';
  readonly natGateways: number;
  readonly vpcId?: string | undefined;
}

/** RESULTS_WEBHOOK. Errors do not repeat the value, which may contain credentials. */
export const webhookUrl = z.string().superRefine((value, context) => {
  // The daemon replaces it by the id of the call.
  const url = URL.parse(value.replaceAll('{contact-id}', 'contact-id'));
  if (url?.protocol !== 'https:') {
    context.addIssue({
      code: 'custom',
      message: 'must be an https URL; {contact-id} in it becomes the id of the call',
    });
  } else if (/[\s\p{Cc}]/u.test(value)) {
    context.addIssue({ code: 'custom', message: 'must not contain white space' });
  } else if (url.username || url.password || url.hash) {
    context.addIssue({ code: 'custom', message: 'must not contain credentials or a fragment' });
  }
});

/** `on` for a new stream, `off`, or the ARN of an existing one. */
export const streamSetting = z
  .string()
  .regex(
    /^(?:on|off|arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[\w.-]+)$/,
    'must be on, off, or the ARN of a Kinesis data stream, such as arn:aws:kinesis:us-east-1:123456789012:stream/transcripts',
  );

/** Whether any result comes back through the daemons. */
export function relaysResults(
  given: Pick<ResultsSettings, 'transcriptStream' | 'webhookSecretArn' | 'webhook' | 'receiver'>,
): boolean {
  const { transcriptStream, webhook, webhookSecretArn, receiver } = given;
  return transcriptStream !== 'off' || webhook !== undefined || webhookSecretArn !== undefined || receiver === 'on';
}

/** Conflicts between settings that are valid by themselves, a line each. */
export function resultsConflictsIn(given: ResultsSettings): string[] {
  const { transcriptStream, webhook, webhookSecretArn, receiver } = given;
  const streamRegion = transcriptStream.split(':')[3];
  const keyRegion = given.transcriptStreamKmsKeyArn?.split(':')[3];
  const rules: [boolean, string][] = [
    [
      receiver === 'on' && webhook !== undefined,
      'receiver is on, and becomes the webhook of every call: remove webhook, or set receiver=off',
    ],
    [
      receiver === 'on' && webhookSecretArn !== undefined,
      "receiver is on, and has a secret of the stack's: remove webhookSecretArn, or set receiver=off",
    ],
    [
      receiver === 'on' && given.natGateways === 0 && given.vpcId === undefined && given.profile !== 'small',
      'receiver is on, and its function URL is on the internet: natGateways must not be 0',
    ],
    [
      given.webhookSecretKmsKeyArn !== undefined && webhookSecretArn === undefined,
      'webhookSecretKmsKeyArn is the key of the secret webhookSecretArn: set that too',
    ],
    [
      given.transcriptStreamKmsKeyArn !== undefined && streamRegion === undefined,
      'transcriptStreamKmsKeyArn is the key of an existing stream: set transcriptStream to its ARN',
    ],
    [
      keyRegion !== undefined && streamRegion !== undefined && keyRegion !== streamRegion,
      `transcriptStreamKmsKeyArn is in ${keyRegion}, but the stream is in ${streamRegion}: use the key that encrypts it there`,
    ],
  ];
  return rules.flatMap(([isBroken, line]) => (isBroken ? [line] : []));
}
