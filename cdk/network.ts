import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  type ISubnet,
  type IVpc,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct, type IDependable } from 'constructs';

interface NewNetworkProps {
  /** Two; without them, the first two that the region offers the account. */
  readonly availabilityZones: readonly string[] | undefined;
  /** Instances are in public subnets, without NAT gateways. */
  readonly publicAddresses: boolean;
  /** At most one per zone; with 0, the subnets have no route to the internet. */
  readonly natGateways: number;
  readonly logRetention: RetentionDays;
}

/** The private subnets of the fleet, the load balancer and the trigger. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  /** The subnets' route to the internet: instances need it from launch until their last call has ended. */
  readonly internetRoute: IDependable;
  /** Instances reach the internet by addresses of their own. Nothing reaches them: their security group lets nothing in. */
  readonly hasPublicAddresses: boolean;

  private constructor(scope: Construct, id: string, build: (network: Network) => { vpc: IVpc; subnets: ISubnet[] }) {
    super(scope, id);
    const { vpc, subnets } = build(this);
    this.vpc = vpc;
    this.subnets = { subnets };
    this.hasPublicAddresses = vpc.publicSubnets.some((subnet) => subnets.includes(subnet));
    this.internetRoute = vpc.selectSubnets({ subnets }).internetConnectivityEstablished;
  }

  /** A new VPC in two zones, which logs rejected traffic. */
  static create(
    scope: Construct,
    id: string,
    { availabilityZones, publicAddresses, natGateways, logRetention }: NewNetworkProps,
  ): Network {
    return new Network(scope, id, (network) => {
      const isPrivate = natGateways > 0 ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
      const subnetType = publicAddresses ? SubnetType.PUBLIC : isPrivate;
      const privateSubnet = { name: 'Private', subnetType, cidrMask: 22 };
      const publicSubnet = { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false };
      const vpc = new Vpc(network, 'Vpc', {
        ...(availabilityZones === undefined ? { maxAzs: 2 } : { availabilityZones: [...availabilityZones] }),
        natGateways,
        subnetConfiguration: publicAddresses
          ? [{ ...publicSubnet, cidrMask: 22 }]
          : [privateSubnet, ...(natGateways > 0 ? [publicSubnet] : [])],
      });
      const logGroup = new LogGroup(network, 'FlowLogs', {
        retention: logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      vpc.addFlowLog('Refused', {
        destination: FlowLogDestination.toCloudWatchLogs(logGroup),
        trafficType: FlowLogTrafficType.REJECT,
      });
      // CDK's class and interface differ only under exactOptionalPropertyTypes.
      return { vpc: vpc as IVpc, subnets: vpc.selectSubnets({ subnetType }).subnets };
    });
  }

  /** Subnets of an existing VPC, without a lookup: synthesis needs no credentials. */
  static existing(scope: Construct, id: string, vpcId: string, subnetIds: readonly string[]): Network {
    return new Network(scope, id, (network) => {
      const vpc = Vpc.fromVpcAttributes(network, 'Vpc', {
        vpcId,
        privateSubnetIds: [...subnetIds],
        // CDK requires a zone per subnet, but nothing here uses its name: resources are placed by subnet.
        availabilityZones: subnetIds.map((_, index) => `zone-of-subnet-${index}`),
      });
      return { vpc, subnets: vpc.privateSubnets };
    });
  }

  /** Free routes to S3 within a new VPC. The route tables of an existing VPC are not ours to change. */
  addS3(): void {
    if (!(this.vpc instanceof Vpc)) return;
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3, subnets: [this.subnets] });
  }
}
