import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

interface LogsProps {
  readonly retention: RetentionDays;
}

/** A log group per writer; all are deleted with the stack. */
export class Logs extends Construct {
  /** The daemons' logs, a stream per instance. */
  readonly fleet: LogGroup;
  readonly trigger: LogGroup;
  /** Logs of the stack's own custom resources. */
  readonly deployment: LogGroup;

  constructor(scope: Construct, id: string, { retention }: LogsProps) {
    super(scope, id);
    const group = (name: string) => new LogGroup(this, name, { retention, removalPolicy: RemovalPolicy.DESTROY });
    this.fleet = group('Fleet');
    this.trigger = group('Trigger');
    this.deployment = group('Deployment');
  }
}
