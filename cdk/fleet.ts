import { type Duration, Stack, Tags } from 'aws-cdk-lib';
import {
  AutoScalingGroup,
  GroupMetrics,
  HealthChecks,
  OnDemandAllocationStrategy,
  SpotAllocationStrategy,
} from 'aws-cdk-lib/aws-autoscaling';
import { InstanceType, Peer, Port, SecurityGroup, type UserData } from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { waitForCalls } from './drain-hooks.ts';
import { Launch } from './launch.ts';
import { FLEET_TAG } from './names.ts';
import type { Network } from './network.ts';
import { HTTPS_PORT } from './ports.ts';
import { scaleWithCalls } from './scaling.ts';
import { SuspendAzRebalance } from './suspend-az-rebalance.ts';
import { WARM_UP } from './timing.ts';

export interface FleetProps {
  readonly network: Network;
  readonly imageId: string;
  /** All of the image's architecture, the favourite first; each carries the same number of sessions. */
  readonly instanceTypes: readonly string[];
  readonly role: IRole;
  readonly userData: UserData;
  readonly size: { readonly min: number; readonly max: number; readonly desired: number | undefined };
  /** So much of what is above `onDemandBase` instances is Spot. */
  readonly spotPercent: number;
  readonly onDemandBase: number;
  readonly targetCapacityPercent: number;
  readonly drainDeadline: Duration;
  /** Where Deepgram listens; AWS is at the port of HTTPS. */
  readonly deepgramPort: number;
  /** Of what is done to the group while the stack is deployed. */
  readonly logGroup: ILogGroup;
}

/** The instances that run integratord: as many as the calls need, and none taken from under a call. */
export class Fleet extends Construct {
  readonly group: AutoScalingGroup;

  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id);
    const { network, instanceTypes, size, spotPercent } = props;
    const [favourite = ''] = instanceTypes;
    const launch = new Launch(this, 'Launch', {
      imageId: props.imageId,
      instanceType: favourite,
      securityGroup: this.#securityGroup(props),
      role: props.role,
      userData: props.userData,
    });
    this.group = new AutoScalingGroup(this, 'Group', {
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      mixedInstancesPolicy: {
        launchTemplate: launch.template,
        launchTemplateOverrides: instanceTypes.map((type) => ({ instanceType: new InstanceType(type) })),
        instancesDistribution: {
          onDemandBaseCapacity: props.onDemandBase,
          onDemandPercentageAboveBaseCapacity: 100 - spotPercent,
          onDemandAllocationStrategy: OnDemandAllocationStrategy.PRIORITIZED,
          spotAllocationStrategy: SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        },
      },
      minCapacity: size.min,
      maxCapacity: size.max,
      ...(size.desired === undefined ? {} : { desiredCapacity: size.desired }),
      // EC2's own check, and not the load balancer's: that also fails for an instance that is full, and replacing it
      // would take its capacity away when it is needed most. A daemon that hangs is systemd's to restart.
      healthChecks: HealthChecks.ec2(),
      // What replaces an instance comes first, and all may be replaced at once: they drain side by side, not one
      // after the other for hours.
      minHealthyPercentage: 100,
      maxHealthyPercentage: 200,
      // Neither a rolling nor a replacing update: a stack's update ends no call. README.md has the way to a new image.
      ignoreUnmodifiedSizeProperties: true,
      capacityRebalance: spotPercent > 0,
      defaultInstanceWarmup: WARM_UP,
      groupMetrics: [GroupMetrics.all()],
    });
    this.group.node.addDependency(network.wayOut);
    Tags.of(this.group).add(FLEET_TAG, Stack.of(this).stackId, { applyToLaunchedInstances: false });
    waitForCalls(this.group, props.drainDeadline);
    scaleWithCalls(this.group, props.targetCapacityPercent);
    new SuspendAzRebalance(this, 'SuspendAzRebalance', { group: this.group, logGroup: props.logGroup });
    this.#acknowledge();
  }

  /** In: nothing but what the load balancer is let through for. Out: AWS and Deepgram. */
  #securityGroup({ network, deepgramPort }: FleetProps): SecurityGroup {
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Instances that run integratord',
      allowAllOutbound: false,
    });
    for (const port of new Set([HTTPS_PORT, deepgramPort])) {
      securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'AWS and Deepgram');
    }
    return securityGroup;
  }

  #acknowledge(): void {
    acknowledge(
      this.group,
      'EC26',
      'The rule cannot read a mixed instances policy: the launch template encrypts the volume, and a test sees to it.',
    );
    acknowledge(
      this.group,
      'AS3',
      'Scaling is routine here and a notice of each is noise: alarms tell of what is wrong, and the activity history of the rest.',
    );
  }
}
