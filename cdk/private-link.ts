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
 * The services that instances and trigger call. Kinesis Video's endpoint should serve GetMedia as well: its private name
 * is a wildcard that covers the hosts returned by GetDataEndpoint. That is not verified. ssm and ssmmessages are for
 * Session Manager; agents since 3.3.40 do not need ec2messages. KMS is called by Kinesis Video, not by us.
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

/** Only where results go to a Kinesis data stream. */
const TRANSCRIPTS = { KinesisStreams: InterfaceVpcEndpointAwsService.KINESIS_STREAMS };

interface PrivateLinkProps {
  readonly network: Network;
  /** In all zones, or what the trigger alone needs, in one zone. */
  readonly extent: 'all' | 'trigger';
  readonly writesToStream: boolean;
  /** In a new VPC, S3 gets a gateway endpoint, which is free; the route tables of an existing one are not ours. */
  readonly usesS3: boolean;
}

/** Endpoints in the VPC for the AWS services in use. */
export class PrivateLink extends Construct {
  readonly #securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, { network, extent, writesToStream, usesS3 }: PrivateLinkProps) {
    super(scope, id);
    const { vpc } = network;
    const isForAll = extent === 'all';
    const { subnets: zones = [] } = network.subnets;
    const subnets = { subnets: isForAll ? zones : zones.slice(0, 1) };
    const services: typeof SERVICES = isForAll
      ? { ...SERVICES, ...(writesToStream ? TRANSCRIPTS : {}) }
      : { SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER };
    this.#securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'AWS services, for integratord and its trigger',
      allowAllOutbound: false,
    });
    for (const [name, service] of Object.entries(services)) {
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
    if (usesS3 && isForAll) network.addS3();
  }

  allowFrom(client: IConnectable): void {
    this.#securityGroup.connections.allowFrom(client, Port.tcp(HTTPS_PORT), 'AWS services');
  }
}
