import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const ACCOUNT = '123456789012';
/** AWS adds six characters to a name, so that a recreated secret is a different one. */
const SUFFIX = 'AbCdEf';

/** Content of a secret; empty for a secret without a value. */
export const secretOrder = z.strictObject({
  text: z.string().optional(),
  bytes: z.base64().optional(),
  /** Age of the value. */
  ageMs: z.number().nonnegative().default(0),
  /** Whether reading it is allowed. */
  allowed: z.boolean().optional(),
  markedForDeletion: z.boolean().optional(),
});
type SecretOrder = z.infer<typeof secretOrder>;

interface Version {
  readonly id: string;
  readonly content: { SecretString: string } | { SecretBinary: string };
  readonly createdAtEpochMs: number;
}

interface Secret {
  readonly name: string;
  readonly arn: string;
  allowed: boolean;
  markedForDeletion: boolean;
  readonly stages: Map<string, Version>;
}

/** An error response of Secrets Manager. */
export class Refusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** The secrets of one account in one region. */
export class Vault {
  readonly #region: string;
  readonly #secrets = new Map<string, Secret>();

  constructor(region: string) {
    this.#region = region;
  }

  /** Creates or changes a secret. A new value becomes AWSCURRENT, the previous one AWSPREVIOUS. */
  put(name: string, { text, bytes, ageMs, allowed, markedForDeletion }: SecretOrder): void {
    const arn = `arn:aws:secretsmanager:${this.#region}:${ACCOUNT}:secret:${name}-${SUFFIX}`;
    const made = { name, arn, allowed: true, markedForDeletion: false, stages: new Map<string, Version>() };
    const secret: Secret = this.#secrets.get(name) ?? made;
    this.#secrets.set(name, secret);
    secret.allowed = allowed ?? secret.allowed;
    secret.markedForDeletion = markedForDeletion ?? secret.markedForDeletion;
    const content =
      text !== undefined ? { SecretString: text } : bytes !== undefined ? { SecretBinary: bytes } : undefined;
    if (content) {
      const current = secret.stages.get('AWSCURRENT');
      if (current) secret.stages.set('AWSPREVIOUS', current);
      secret.stages.set('AWSCURRENT', { id: randomUUID(), content, createdAtEpochMs: Date.now() - ageMs });
    }
  }

  /** GetSecretValue. Throws Refusal. */
  read(secretId: string, stage: string): object {
    const secret = [...this.#secrets.values()].find(({ name, arn }) =>
      [name, arn, arn.slice(0, -SUFFIX.length - 1)].includes(secretId),
    );
    if (!secret) throw new Refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    const { name, arn, allowed, markedForDeletion, stages } = secret;
    if (!allowed) {
      const action = 'secretsmanager:GetSecretValue';
      const who = `User: arn:aws:sts::${ACCOUNT}:assumed-role/integrator/i-1`;
      const why = `because no identity-based policy allows the ${action} action`;
      throw new Refusal(
        'AccessDeniedException',
        `${who} is not authorized to perform: ${action} on resource: ${arn} ${why}`,
      );
    }
    if (markedForDeletion) {
      const message = "You can't perform this operation on the secret because it was marked for deletion.";
      throw new Refusal('InvalidRequestException', message);
    }
    const version = stages.get(stage);
    if (!version) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${stage}`;
      throw new Refusal('ResourceNotFoundException', message);
    }
    const { id: VersionId, content, createdAtEpochMs } = version;
    const VersionStages = [...stages].filter(([, other]) => other === version).map(([label]) => label);
    return { ARN: arn, Name: name, VersionId, VersionStages, CreatedDate: createdAtEpochMs / 1000, ...content };
  }
}
