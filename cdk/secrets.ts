import { CfnSecret, type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** integratord wants 8 characters at least; letters and digits of this length hold more than 256 bits. */
const TRIGGER_SECRET_LENGTH = 48;

/** A secret, as far as it is anybody's business here. */
export type NamedSecret = Pick<ISecret, 'secretArn'>;

export interface SecretsProps {
  /** An existing secret whose value is Deepgram's key; without it an empty one is made, to be filled by hand. */
  readonly deepgramKeyArn: string | undefined;
}

/** What integratord and the trigger must know and nobody else: each is read where it is needed, by its ARN. */
export class Secrets extends Construct {
  /** The API key that Deepgram gave. */
  readonly deepgramKey: NamedSecret;
  /** Signs the trigger's starts. */
  readonly trigger: NamedSecret;
  /** Whether Deepgram's key must be filled in before an instance can take a call. */
  readonly isKeyEmpty: boolean;

  constructor(scope: Construct, id: string, { deepgramKeyArn }: SecretsProps) {
    super(scope, id);
    this.isKeyEmpty = deepgramKeyArn === undefined;
    this.deepgramKey = Secret.fromSecretCompleteArn(this, 'DeepgramKey', deepgramKeyArn ?? this.#emptySecret());
    const trigger = new Secret(this, 'TriggerSecret', {
      description: 'Signs what the trigger of integratord sends to integratord',
      generateSecretString: { passwordLength: TRIGGER_SECRET_LENGTH, excludePunctuation: true },
    });
    this.trigger = trigger;
    acknowledge(
      trigger,
      'SMG4',
      'A new value is put in by hand, as README.md says, and taken while all runs; a function to do it is one thing more to trust.',
    );
  }

  /** CDK's own Secret always has a value, which an instance would take for a key. */
  #emptySecret(): string {
    const secret = new CfnSecret(this, 'EmptyDeepgramKey', {
      description: "Deepgram's API key for integratord: put it in as the plain text of the secret",
    });
    acknowledge(secret, 'SMG4', "Only Deepgram's console can make another key; it is changed by hand.");
    return secret.ref;
  }
}
