import { CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { NEW_SECRET } from './setting-conflicts.ts';

/** integratord requires at least 8 characters; this many letters and digits are more than 256 bits. */
const TRIGGER_SECRET_LENGTH = 48;

/** The only part of a secret that other constructs need. */
export type NamedSecret = Pick<ISecret, 'secretArn'>;

interface SecretsProps {
  /** An existing secret with Deepgram's key; `new` creates an empty one, to be filled by hand. */
  readonly deepgramKeyArn: string;
}

/** The secrets of integratord and the trigger, which read them by ARN. */
export class Secrets extends Construct {
  /** Deepgram's API key. */
  readonly deepgramKey: NamedSecret;
  /** Signs start requests. */
  readonly trigger: NamedSecret;
  /** True if Deepgram's key must be filled in before an instance can accept calls. */
  readonly isKeyEmpty: boolean;

  constructor(scope: Construct, id: string, { deepgramKeyArn }: SecretsProps) {
    super(scope, id);
    this.isKeyEmpty = deepgramKeyArn === NEW_SECRET;
    const arn = this.isKeyEmpty ? this.#emptySecret() : deepgramKeyArn;
    this.deepgramKey = Secret.fromSecretCompleteArn(this, 'DeepgramKey', arn);
    const trigger = new Secret(this, 'TriggerSecret', {
      description: 'Signs the start requests of the trigger to integratord',
      generateSecretString: { passwordLength: TRIGGER_SECRET_LENGTH, excludePunctuation: true },
    });
    this.trigger = trigger;
    acknowledge(
      trigger,
      'SMG4',
      'Rotated by hand (README.md), and used without a restart; a rotation function would be one more thing to trust.',
    );
  }

  /** CDK's own Secret always has a value, which an instance would use as the key. */
  #emptySecret(): string {
    const secret = new CfnSecret(this, 'EmptyDeepgramKey', {
      description: "Deepgram's API key for integratord, as plain text",
    });
    acknowledge(secret, 'SMG4', "Only Deepgram's console can create a new key; it is rotated by hand.");
    return secret.ref;
  }
}
