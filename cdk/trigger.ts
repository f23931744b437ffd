import { Arn, ArnFormat, Aws, Token } from 'aws-cdk-lib';
import { CfnIntegrationAssociation } from 'aws-cdk-lib/aws-connect';
import { type Connections, type IConnectable, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundled } from './lambda-bundle.ts';
import type { Network } from './network.ts';
import { HTTPS_PORT } from './ports.ts';
import type { NamedSecret } from './secrets.ts';
import { TRIGGER_TIMEOUT } from './timing.ts';
import { TriggerRole } from './trigger-role.ts';

/** CPU is proportional to memory, and a caller waits during a cold start. */
const MEMORY_MIB = 512;

interface TriggerProps {
  readonly network: Network;
  readonly secret: NamedSecret;
  readonly logGroup: ILogGroup;
  readonly logLevel: string;
  /** KVS_DG_INTEGRATOR_DOMAIN. */
  readonly integratorDomain: string;
}

/** The Lambda function that a contact flow invokes. */
export class Trigger extends Construct implements IConnectable {
  readonly function: LambdaFunction;
  readonly connections: Connections;

  constructor(scope: Construct, id: string, { network, secret, logGroup, logLevel, integratorDomain }: TriggerProps) {
    super(scope, id);
    const { vpc, subnets } = network;
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Trigger of integratord',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(HTTPS_PORT), 'Secrets Manager');
    this.connections = securityGroup.connections;
    const { role } = new TriggerRole(this, 'Role', { secretArn: secret.secretArn, logGroup });
    this.function = new LambdaFunction(this, 'Function', {
      description:
        'Starts the transcription of a call: a contact flow invokes it, and it starts a session at integratord',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: bundled('handler.ts'),
      handler: 'index.handler',
      timeout: TRIGGER_TIMEOUT,
      memorySize: MEMORY_MIB,
      environment: {
        KVS_DG_INTEGRATOR_DOMAIN: integratorDomain,
        TRIGGER_SECRET_ARN: secret.secretArn,
        LOG_LEVEL: triggerLevel(logLevel),
      },
      vpc,
      vpcSubnets: subnets,
      // It needs no internet: the load balancer and Secrets Manager's endpoint are in the VPC.
      allowPublicSubnet: network.hasPublicAddresses,
      securityGroups: [securityGroup],
      role,
      logGroup,
    });
  }

  /** Allows a Connect instance to invoke the function, and adds the function to the instance's list. Others may not. */
  allowInvocationBy(connectInstanceArn: string): void {
    const isKnown = !Token.isUnresolved(connectInstanceArn);
    const { account = Aws.ACCOUNT_ID, resourceName = '' } = isKnown
      ? Arn.split(connectInstanceArn, ArnFormat.SLASH_RESOURCE_NAME)
      : {};
    // Keyed by id, so that neither the order of the list matters nor which others are on it: under another logical id, an
    // association would be created again before it is deleted (README.md, "Without CDK").
    this.function.addPermission(`Connect${resourceName}`, {
      principal: new ServicePrincipal('connect.amazonaws.com'),
      sourceArn: connectInstanceArn,
      sourceAccount: account,
    });
    const association = new CfnIntegrationAssociation(this, `Association${resourceName}`, {
      instanceId: connectInstanceArn,
      integrationType: 'LAMBDA_FUNCTION',
      integrationArn: this.function.functionArn,
    });
    association.node.addDependency(this.function);
  }
}

/** The trigger and the receiver have fewer levels than the daemon. Errors stay: TriggerFailing counts them in the log. */
export function triggerLevel(logLevel: string): string {
  if (logLevel === 'trace') return 'debug';
  return logLevel === 'fatal' || logLevel === 'silent' ? 'error' : logLevel;
}
