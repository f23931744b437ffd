import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** What an upload that broke off leaves behind. */
const UNFINISHED_UPLOAD_DAYS = 1;

interface PrivateBucketProps {
  /** Objects are deleted at this age. */
  readonly lifetime: Duration;
}

/** A bucket for what was said in calls: encrypted, never public, reached by TLS only, and emptied by age. */
export class PrivateBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { lifetime }: PrivateBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        { expiration: lifetime, abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOAD_DAYS) },
      ],
      // A stack that is deleted by mistake must not delete what nobody has read yet; it empties itself. A deployment that
      // fails and takes back the bucket that it created leaves none behind.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    acknowledge(
      this.bucket,
      'S1',
      "Access logs would be a second place that names every call; CloudTrail's data events log access for those who need it.",
    );
  }
}
