import { Arn, ArnFormat, Aws, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stream as DataStream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { DaemonSettings } from './daemon-settings.ts';
import { PrivateBucket } from './private-bucket.ts';
import { Receiver } from './receiver.ts';
import { relaysResults } from './results-settings.ts';
import { WebhookSecret } from './webhook-secret.ts';

const STATE_KEY_LENGTH = 48;
/** As long as values of STATE_KEY before the current one open what they sealed. */
const DEAD_LETTER_LIFETIME = Duration.days(14);
const DEAD_LETTERS = 'dead-letters';

interface ResultsProps {
  /** `on` for a new stream, `off`, or the ARN of an existing one. */
  readonly transcriptStream: string;
  readonly transcriptStreamKmsKeyArn?: string | undefined;
  readonly webhook?: string | undefined;
  readonly webhookSecretArn?: string | undefined;
  readonly webhookSecretKmsKeyArn?: string | undefined;
  readonly receiver: 'on' | 'off';
  readonly transcriptRetentionDays: number;
  readonly logRetentionDays: RetentionDays;
  readonly logLevel: string;
}

/** Where transcripts go, and what the instances need for that. Without a destination only the key of their state. */
export class Results extends Construct {
  /** The part of the daemons' settings that is about results. */
  readonly daemonSettings: DaemonSettings;
  /** Secrets that an instance may read. */
  readonly secretArns: readonly string[];
  /** What else an instance may do. */
  readonly statements: readonly PolicyStatement[];
  /** Port of the webhook; undefined without one. */
  readonly webhookPort: number | undefined;
  readonly writesToStream: boolean;
  /** Dead letters are kept in S3. */
  readonly usesS3: boolean;
  readonly receiver: Receiver | undefined;

  constructor(scope: Construct, id: string, props: ResultsProps) {
    super(scope, id);
    const stateKey = this.#stateKey();
    const stream = this.#streamArn(props);
    const generated =
      props.webhookSecretArn === undefined && (props.webhook !== undefined || props.receiver === 'on')
        ? new WebhookSecret(this, 'WebhookSecret').secret
        : undefined;
    this.receiver = props.receiver === 'on' && generated ? this.#receiver(props, generated.secretArn) : undefined;
    const webhook = this.receiver?.url ?? props.webhook;
    const secretArn = props.webhookSecretArn ?? generated?.secretArn;
    const deadLetters = relaysResults(props)
      ? new PrivateBucket(this, 'DeadLetters', { lifetime: DEAD_LETTER_LIFETIME }).bucket
      : undefined;
    this.webhookPort = props.webhook === undefined ? undefined : portOf(props.webhook);
    this.writesToStream = stream !== undefined;
    this.usesS3 = deadLetters !== undefined;
    this.daemonSettings = defined({
      STATE_KEY_SECRET_ARN: stateKey,
      RESULTS_STREAM: stream,
      RESULTS_WEBHOOK: webhook,
      RESULTS_SECRET_ARN: secretArn,
      RESULTS_DEAD_LETTERS: deadLetters && `s3://${deadLetters.bucketName}/${DEAD_LETTERS}`,
    });
    this.secretArns = [stateKey, ...(secretArn === undefined ? [] : [secretArn])];
    this.statements = [
      ...viaService('kms:Decrypt', props.webhookSecretKmsKeyArn, 'secretsmanager'),
      ...(stream === undefined ? [] : [allow(['kinesis:PutRecords', 'kinesis:DescribeStreamSummary'], [stream])]),
      ...viaService('kms:GenerateDataKey', props.transcriptStreamKmsKeyArn, 'kinesis'),
      ...(deadLetters === undefined ? [] : keepDeadLetters(deadLetters)),
    ];
    this.#outputs(stream, props.webhook === undefined ? undefined : generated?.secretArn);
  }

  /** Accepts cdk-nag's findings about `statements` in the role that has them. */
  acknowledgeIn(role: IConstruct, logicalIdOf: (construct: IConstruct) => string): void {
    const bucket = this.node.tryFindChild('DeadLetters')?.node.tryFindChild('Bucket');
    if (!bucket) return;
    acknowledge(
      role,
      `IAM5[Resource::<${logicalIdOf(bucket)}.Arn>/${DEAD_LETTERS}/*]`,
      'An object for each batch of results that could not be delivered.',
    );
  }

  /** STATE_KEY. */
  #stateKey(): string {
    const secret = new Secret(this, 'StateKey', {
      description: 'Encrypts what integratord keeps of calls until it is delivered: events, dead letters, checkpoints',
      generateSecretString: { passwordLength: STATE_KEY_LENGTH, excludePunctuation: true },
    });
    acknowledge(
      secret,
      'SMG4',
      'Changed by hand (README.md), and used without a restart; what an earlier value encrypted must stay readable.',
    );
    return secret.secretArn;
  }

  #streamArn({ transcriptStream }: ResultsProps): string | undefined {
    if (transcriptStream === 'off') return undefined;
    if (transcriptStream !== 'on') return transcriptStream;
    const stream = new DataStream(this, 'Transcripts', {
      // As many shards as the calls need; a shard takes 1 MiB and 1,000 records a second.
      streamMode: StreamMode.ON_DEMAND,
      encryption: StreamEncryption.MANAGED,
      // Its records are gone after a day in any case.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return stream.streamArn;
  }

  #receiver(props: ResultsProps, secretArn: string): Receiver {
    return new Receiver(this, 'Receiver', {
      webhookSecret: { secretArn },
      transcriptLifetime: Duration.days(props.transcriptRetentionDays),
      logRetention: props.logRetentionDays,
      logLevel: props.logLevel,
    });
  }

  #outputs(stream: string | undefined, generatedSecretArn: string | undefined): void {
    const output = (name: string, description: string, value: string | undefined) => {
      if (value === undefined) return;
      new CfnOutput(Stack.of(this), name, { description, value });
    };
    output(
      'TranscriptStream',
      "The data stream of transcripts, in the schema of Contact Lens' segment streams",
      stream,
    );
    output('WebhookSecret', 'The secret that verifies what is posted to the webhook', generatedSecretArn);
    output('ReceiverUrl', 'Where the receiver is: GET calls/CONTACT-ID has a transcript', this.receiver?.url);
    output('ReceiverToken', 'The secret with the bearer token of its readers', this.receiver?.token.secretArn);
    output('ReadTranscript', 'Reads the transcript of a call', this.receiver?.command);
  }
}

function defined(settings: Readonly<Record<string, string | undefined>>): DaemonSettings {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function portOf(webhook: string): number {
  return Number(new URL(webhook.replaceAll('{contact-id}', 'contact-id')).port) || 443;
}

function allow(actions: string[], resources: string[], conditions = {}): PolicyStatement {
  return new PolicyStatement({ actions, resources, conditions });
}

/** An action with a key of the user's own; the AWS managed keys need no permission. */
function viaService(action: string, keyArn: string | undefined, service: string): PolicyStatement[] {
  if (keyArn === undefined) return [];
  const { region = Aws.REGION } = Arn.split(keyArn, ArnFormat.SLASH_RESOURCE_NAME);
  const condition = { 'kms:ViaService': `${service}.${region}.${Aws.URL_SUFFIX}` };
  return [allow([action], [keyArn], { StringEquals: condition })];
}

/** Any instance may deliver what another one gave up (`integratorctl results retry`). */
function keepDeadLetters(bucket: Bucket): PolicyStatement[] {
  return [
    allow(['s3:DeleteObject', 's3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${DEAD_LETTERS}/*`)]),
    allow(['s3:ListBucket'], [bucket.bucketArn]),
  ];
}
