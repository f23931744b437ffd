import { type Duration, Stack, Tags } from 'aws-cdk-lib';
import {
  AutoScalingGroup,
  DeletionProtection,
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

interface FleetProps {
  readonly network: Network;
  readonly imageId: string;
  /** All of the image's architecture, the preferred one first; each carries the same number of sessions. */
  readonly instanceTypes: readonly string[];
  readonly role: IRole;
  readonly userData: UserData;
  readonly size: { readonly min: number; readonly max: number; readonly desired: number | undefined };
  /** Percentage of Spot instances beyond the first `onDemandBase` ones. */
  readonly spotPercent: number;
  readonly onDemandBase: number;
  readonly targetCapacityPercent: number;
  readonly drainDeadline: Duration;
  /** Ports of Deepgram, of a proxy and of the webhook; AWS uses that of HTTPS. */
  readonly ports: readonly number[];
  /** For the log of the custom resource that changes the group during a deployment. */
  readonly logGroup: ILogGroup;
}

/** The instances of integratord: as many as the calls need, and none is terminated during a call. */
export class Fleet extends Construct {
  readonly group: AutoScalingGroup;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id);
    const { network, instanceTypes, size, spotPercent } = props;
    const [preferred = ''] = instanceTypes;
    this.securityGroup = this.#securityGroup(props);
    const launch = new Launch(this, 'Launch', {
      imageId: props.imageId,
      instanceType: preferred,
      securityGroup: this.securityGroup,
      role: props.role,
      userData: props.userData,
      associatePublicIpAddress: network.hasPublicAddresses,
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
      // EC2's own check, not the load balancer's: that also fails for a full instance, and replacing it would remove its
      // capacity when it is needed most. systemd restarts a hanging daemon.
      healthChecks: HealthChecks.ec2(),
      // Replacements launch first, and all instances may be replaced at once: they drain in parallel instead of one
      // after the other for hours.
      minHealthyPercentage: 100,
      maxHealthyPercentage: 200,
      ignoreUnmodifiedSizeProperties: true,
      capacityRebalance: spotPercent > 0,
      defaultInstanceWarmup: WARM_UP,
      groupMetrics: [GroupMetrics.all()],
      // A forced deletion skips the terminating hook, and so the drain. CloudFormation does not force it: stack.ts protects
      // the whole stack.
      deletionProtection: DeletionProtection.PREVENT_FORCE_DELETION,
    });
    this.group.node.addDependency(network.internetRoute);
    Tags.of(this.group).add(FLEET_TAG, Stack.of(this).stackId, { applyToLaunchedInstances: false });
    waitForCalls(this.group, props.drainDeadline);
    if (size.min < size.max) scaleWithCalls(this.group, props.targetCapacityPercent);
    new SuspendAzRebalance(this, 'SuspendAzRebalance', { group: this.group, logGroup: props.logGroup });
    this.#acknowledge();
  }

  /** Inbound: only the load balancer. Outbound: AWS and Deepgram. */
  #securityGroup({ network, ports }: FleetProps): SecurityGroup {
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Instances that run integratord',
      allowAllOutbound: false,
    });
    for (const port of new Set([HTTPS_PORT, ...ports])) {
      securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'AWS, Deepgram and the webhook');
    }
    return securityGroup;
  }

  #acknowledge(): void {
    acknowledge(
      this.group,
      'EC26',
      'The rule cannot read a mixed instances policy: the launch template encrypts the volume, and a test checks that.',
    );
    acknowledge(
      this.group,
      'AS3',
      'Scaling is routine here, and a notification of each activity is noise: alarms report problems, and the activity history has the rest.',
    );
  }
}
