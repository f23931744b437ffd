import { CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { NamedSecret } from './secrets.ts';

/** Letters and digits are base64 too; as many make 36 bytes (daemon/SETTINGS.md, RESULTS_SECRET). */
const KEY_LETTERS = 48;

/**
 * A generated secret for Standard Webhooks, `whsec_` and base64. Secrets Manager generates no prefix, so a first secret
 * has the key, and CloudFormation writes the second one when it creates it: "You can use a dynamic reference for a secret in
 * any resource property" (Secrets Manager User Guide, "Get a secret in a CloudFormation resource"). It makes a new version
 * only "when you make a change to this property" (AWS::SecretsManager::Secret, SecretString), so a value that was changed
 * by hand stays.
 */
export class WebhookSecret extends Construct {
  readonly secret: NamedSecret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const key = new Secret(this, 'Key', {
      description: 'Generated for the secret that signs results; not read afterwards',
      generateSecretString: { passwordLength: KEY_LETTERS, excludePunctuation: true },
    });
    const secret = new CfnSecret(this, 'Secret', {
      description: 'Signs the results that integratord posts to the webhook: whsec_…',
      // A reference that CloudFormation resolves: the template does not have the value.
      secretString: `whsec_${key.secretValue.unsafeUnwrap()}`,
    });
    this.secret = { secretArn: secret.ref };
    const reason =
      'Changed by hand (README.md): integratord signs with the previous value too for 24 hours; a rotation function would be one more thing to trust.';
    acknowledge(key, 'SMG4', reason);
    acknowledge(secret, 'SMG4', reason);
  }
}
