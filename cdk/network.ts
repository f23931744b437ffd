import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  type ISubnet,
  type IVpc,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct, type IDependable } from 'constructs';

export interface NewNetworkProps {
  /** One a zone; 0: the subnets have no way out. */
  readonly natGateways: number;
  readonly logRetention: RetentionDays;
}

/** Where the fleet, the load balancer and the trigger are: subnets of one VPC, private ones. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  /** The subnets' way out: instances need it from their first moment, and on their way out until their last call. */
  readonly wayOut: IDependable;

  private constructor(scope: Construct, id: string, make: (network: Network) => { vpc: IVpc; subnets: ISubnet[] }) {
    super(scope, id);
    const { vpc, subnets } = make(this);
    this.vpc = vpc;
    this.subnets = { subnets };
    this.wayOut = vpc.selectSubnets({ subnets }).internetConnectivityEstablished;
  }

  /** A new VPC in two zones, which logs what it turns away. */
  static make(scope: Construct, id: string, { natGateways, logRetention }: NewNetworkProps): Network {
    return new Network(scope, id, (network) => {
      const subnetType = natGateways > 0 ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
      const inner = { name: 'Private', subnetType, cidrMask: 22 };
      const outer = { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false };
      const vpc = new Vpc(network, 'Vpc', {
        maxAzs: 2,
        natGateways,
        subnetConfiguration: natGateways > 0 ? [inner, outer] : [inner],
      });
      const logGroup = new LogGroup(network, 'FlowLogs', {
        retention: logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      vpc.addFlowLog('Refused', {
        destination: FlowLogDestination.toCloudWatchLogs(logGroup),
        trafficType: FlowLogTrafficType.REJECT,
      });
      // The library's own class and interface differ for exactOptionalPropertyTypes only.
      return { vpc: vpc as IVpc, subnets: vpc.selectSubnets({ subnetType }).subnets };
    });
  }

  /** Subnets of a VPC that is there, without a look-up: synthesis needs no credentials. */
  static existing(scope: Construct, id: string, vpcId: string, subnetIds: readonly string[]): Network {
    return new Network(scope, id, (network) => {
      const vpc = Vpc.fromVpcAttributes(network, 'Vpc', {
        vpcId,
        privateSubnetIds: [...subnetIds],
        // CDK wants a zone for each subnet, and nothing of ours uses its name: what we make is given subnets.
        availabilityZones: subnetIds.map((_, index) => `zone-of-subnet-${index}`),
      });
      return { vpc, subnets: vpc.privateSubnets };
    });
  }
}
