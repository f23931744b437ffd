import { Aws, type CfnElement, Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, FunctionUrlAuthType, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { bundled } from './lambda-bundle.ts';
import { PrivateBucket } from './private-bucket.ts';
import type { NamedSecret } from './secrets.ts';

/** integratord waits 15 s for a POST; a GET of a call of hours reads thousands of objects. */
const TIMEOUT = Duration.seconds(30);
const MEMORY_MIB = 512;
const TOKEN_LENGTH = 48;
/** All keys begin with it (trigger/receiver/store.ts). */
const KEYS = 'calls/*';

interface ReceiverProps {
  /** Signs the results that are posted. */
  readonly webhookSecret: NamedSecret;
  readonly transcriptLifetime: Duration;
  readonly logRetention: RetentionDays;
  readonly logLevel: string;
}

/** The sample consumer: keeps the results that the daemons post, and serves transcripts to readers with a token. */
export class Receiver extends Construct {
  /** https, with a slash at its end. */
  readonly url: string;
  /** Its secret is the bearer token. */
  readonly token: NamedSecret;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: ReceiverProps) {
    super(scope, id);
    const { webhookSecret, logLevel } = props;
    const { bucket } = new PrivateBucket(this, 'Transcripts', { lifetime: props.transcriptLifetime });
    const token = new Secret(this, 'Token', {
      description: 'Bearer token for reading transcripts from the receiver of integratord',
      generateSecretString: { passwordLength: TOKEN_LENGTH, excludePunctuation: true },
    });
    acknowledge(token, 'SMG4', 'Changed by hand (README.md), and used without a restart; its readers must learn it.');
    this.token = token;
    this.logGroup = new LogGroup(this, 'Log', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const receiver = new LambdaFunction(this, 'Function', {
      description: 'Keeps the results that integratord posts, and serves GET /calls/ID',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: bundled('receiver/lambda.ts'),
      handler: 'index.handler',
      timeout: TIMEOUT,
      memorySize: MEMORY_MIB,
      environment: {
        RESULTS_SECRET_ARN: webhookSecret.secretArn,
        READ_TOKEN_SECRET_ARN: token.secretArn,
        TRANSCRIPTS_BUCKET: bucket.bucketName,
        LOG_LEVEL: logLevel,
      },
      role: this.#role(bucket, [webhookSecret.secretArn, token.secretArn]),
      logGroup: this.logGroup,
    });
    // Requests are authenticated by the function: by their signature, or by the token.
    this.url = receiver.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
  }

  /** The command that reads a transcript. */
  get command(): string {
    const token = `aws secretsmanager get-secret-value --region ${Aws.REGION} --secret-id ${this.token.secretArn} --query SecretString --output text`;
    return Fn.join('', [`curl -H "Authorization: Bearer $(${token})" `, this.url, 'calls/CONTACT-ID']);
  }

  #role(bucket: Bucket, secretArns: readonly string[]): Role {
    const statements = [
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [...secretArns] }),
      new PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [bucket.arnForObjects(KEYS)] }),
      // Also makes S3 answer 404, instead of 403, for an object whose lifetime is over.
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
    ];
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'The receiver of integratord',
      inlinePolicies: { Receiver: new PolicyDocument({ statements }) },
    });
    const idOf = (construct: Construct) => Stack.of(this).getLogicalId(construct.node.defaultChild as CfnElement);
    acknowledge(role, `IAM5[Resource::<${idOf(this.logGroup)}.Arn>]`, 'The log streams of one log group.');
    acknowledge(role, `IAM5[Resource::<${idOf(bucket)}.Arn>/${KEYS}]`, 'An object for each request about a call.');
    return role;
  }
}
