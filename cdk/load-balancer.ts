import { Duration } from 'aws-cdk-lib';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IConnectable, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  type IApplicationLoadBalancerTarget,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Network } from './network.ts';
import { INSTANCE_PORT, STARTS_PORT } from './ports.ts';
import { DEREGISTRATION_DELAY, HEALTH_CHECK } from './timing.ts';

interface LoadBalancerProps {
  readonly network: Network;
}

/**
 * Distributes start requests to the instances; reachable only within the VPC, and only by the trigger. Calls do not pass
 * through it. It uses HTTP, because no certificate is possible for the name that AWS generates. Instead, each start
 * request is signed with the trigger's secret and its time, and no packet leaves the VPC.
 */
export class LoadBalancer extends Construct {
  /** For the trigger's KVS_DG_INTEGRATOR_DOMAIN. */
  readonly domain: string;
  /** Of the instances, with their health. */
  readonly targetGroupArn: string;
  readonly #balancer: ApplicationLoadBalancer;
  readonly #instances: ApplicationTargetGroup;

  constructor(scope: Construct, id: string, { network }: LoadBalancerProps) {
    super(scope, id);
    const { vpc, subnets } = network;
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'integratord load balancer: start requests from the trigger',
      allowAllOutbound: false,
    });
    this.#balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      vpcSubnets: subnets,
      securityGroup,
      internetFacing: false,
      dropInvalidHeaderFields: true,
    });
    this.domain = this.#balancer.loadBalancerDnsName;
    this.#instances = new ApplicationTargetGroup(this, 'Instances', {
      vpc,
      targetType: TargetType.INSTANCE,
      protocol: ApplicationProtocol.HTTP,
      port: INSTANCE_PORT,
      // Not by outstanding requests: an instance that refuses immediately looks idle, and would get nearly all starts
      // (README.md, "Why starts are spread at random").
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.WEIGHTED_RANDOM,
      enableAnomalyMitigation: true,
      deregistrationDelay: DEREGISTRATION_DELAY,
      healthCheck: { path: '/health-check', healthyHttpCodes: '200', ...HEALTH_CHECK },
    });
    this.targetGroupArn = this.#instances.targetGroupArn;
    new ApplicationListener(this, 'Starts', {
      loadBalancer: this.#balancer,
      protocol: ApplicationProtocol.HTTP,
      port: STARTS_PORT,
      open: false,
      defaultTargetGroups: [this.#instances],
    });
    acknowledge(
      this.#balancer,
      'ELB2',
      'The logs of the trigger and the daemon have every start with its contact; an access log would add nothing.',
    );
  }

  acceptStartsFrom(trigger: IConnectable): void {
    this.#balancer.connections.allowFrom(trigger, Port.tcp(STARTS_PORT), 'Start requests');
  }

  /** Instances that pass the health check; not reported while no instance is registered. */
  healthyInstances(): Metric {
    // The load balancer's node in each zone reports its own count; the highest is right, as other nodes may lag behind.
    return this.#instances.metrics.healthyHostCount({ statistic: Stats.MAXIMUM, period: Duration.minutes(1) });
  }

  /** Instances that fail the health check, also those that do so by design: full, cordoned, cut off. */
  unhealthyInstances(): Metric {
    return this.#instances.metrics.unhealthyHostCount({ statistic: Stats.MAXIMUM, period: Duration.minutes(1) });
  }

  forwardTo(fleet: IApplicationLoadBalancerTarget): void {
    this.#instances.addTarget(fleet);
  }
}
