import {
  type IConnectable,
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Network } from './network.ts';
import { HTTPS_PORT } from './ports.ts';

/**
 * What the instances and the trigger call. Kinesis Video's endpoint serves GetDataEndpoint and GetMedia alike: its
 * private name is a wildcard, and so holds the hosts that GetDataEndpoint names. ssm and ssmmessages are Session
 * Manager's; agents since 3.3.40 do without ec2messages. Kinesis Video, and not we, calls KMS.
 */
const SERVICES: Readonly<Record<string, InterfaceVpcEndpointAwsService>> = {
  KinesisVideo: new InterfaceVpcEndpointAwsService('kinesisvideo'),
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  AutoScaling: InterfaceVpcEndpointAwsService.AUTOSCALING,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Monitoring: InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
  Ssm: InterfaceVpcEndpointAwsService.SSM,
  SsmMessages: InterfaceVpcEndpointAwsService.SSM_MESSAGES,
};

export interface PrivateLinkProps {
  readonly network: Network;
}

/** The AWS services that we use, inside the VPC. */
export class PrivateLink extends Construct {
  readonly #securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { network }: PrivateLinkProps) {
    super(scope, id);
    const { vpc, subnets } = network;
    this.#securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'AWS services, for integratord and its trigger',
      allowAllOutbound: false,
    });
    for (const [name, service] of Object.entries(SERVICES)) {
      const securityGroups = [this.#securityGroup];
      new InterfaceVpcEndpoint(this, name, {
        vpc,
        service,
        subnets,
        securityGroups,
        privateDnsEnabled: true,
        open: false,
      });
    }
  }

  serves(client: IConnectable): void {
    this.#securityGroup.connections.allowFrom(client, Port.tcp(HTTPS_PORT), 'AWS services');
  }
}
