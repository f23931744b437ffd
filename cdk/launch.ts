import { Stack, Tags } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  EbsDeviceVolumeType,
  type IMachineImage,
  InstanceType,
  type ISecurityGroup,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  OperatingSystemType,
  type UserData,
} from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** Of Amazon Linux. */
const ROOT_DEVICE = '/dev/xvda';
/** For the image, checkpoints of a few KB a session, and a journal that is also sent to CloudWatch. */
export const ROOT_GIB = 20;

export interface LaunchProps {
  readonly imageId: string;
  readonly instanceType: string;
  readonly securityGroup: ISecurityGroup;
  readonly role: IRole;
  readonly userData: UserData;
}

/** How an instance begins. A new version of it changes no instance that runs. */
export class Launch extends Construct {
  readonly template: LaunchTemplate;

  constructor(scope: Construct, id: string, { imageId, instanceType, userData, ...props }: LaunchProps) {
    super(scope, id);
    this.template = new LaunchTemplate(this, 'Template', {
      ...props,
      userData,
      machineImage: imageById(imageId, userData),
      instanceType: new InstanceType(instanceType),
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      // One hop is the instance itself: nothing that it might forward for reaches its role's credentials.
      httpPutResponseHopLimit: 1,
      associatePublicIpAddress: false,
      // CPU by the minute: with 5 min a burst of calls would be over before the guard saw it.
      detailedMonitoring: true,
      blockDevices: [
        {
          deviceName: ROOT_DEVICE,
          volume: BlockDeviceVolume.ebs(ROOT_GIB, {
            encrypted: true,
            deleteOnTermination: true,
            volumeType: EbsDeviceVolumeType.GP3,
          }),
        },
      ],
    });
    // By which operators know an instance among others; CDK's own is a path in the app.
    Tags.of(this.template).add('Name', Stack.of(this).stackName);
  }
}

/** Takes the id as it is, where CDK's own images would look it up or map it by region. */
function imageById(imageId: string, userData: UserData): IMachineImage {
  return { getImage: () => ({ imageId, osType: OperatingSystemType.LINUX, userData }) };
}
