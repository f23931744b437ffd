"""moto's server with stubs for the resource types that its CloudFormation does not know, and without Docker.

A stub keeps the properties of a resource and gives it attributes; nothing behind it happens. It listens on a free port of 127.0.0.1.
"""

import uuid

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

# moto knows some of these, but runs them in Docker, misses attributes that the stack uses, or cannot delete them.
STUBBED = (
    "AWS::AutoScaling::",
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::",
    "AWS::ElasticLoadBalancingV2::",
    "AWS::Lambda::",
    "Custom::",
)


class Stub(CloudFormationModel):
    # moto files a model under the service in its module.
    __module__ = "moto.stubs"

    def __init__(self, name, properties):
        self.name = name
        self.properties = properties

    @property
    def physical_resource_id(self):
        return self.name

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "Stub"

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        if attribute_name.endswith("Arn"):
            return f"arn:aws:stub:us-east-1:123456789012:{self.name}"
        return f"{self.name}-{attribute_name}"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        # Of as many parts as the ARN of a listener, which the template takes apart.
        return cls(f"stub/app/{resource_name}/{uuid.uuid4().hex[:8]}", cloudformation_json.get("Properties", {}))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        original_resource.properties = cloudformation_json.get("Properties", {})
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        return None

    def delete(self, *args, **kwargs):
        return None


known = parsing.resource_class_from_type


def with_stubs(resource_type):
    if resource_type.startswith(STUBBED):
        return Stub
    if resource_type in parsing.NULL_MODELS or resource_type in parsing.get_model_map():
        return known(resource_type)
    return Stub


parsing.resource_class_from_type = with_stubs

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
print(f'{{"listening": "http://localhost:{server.get_host_and_port()[1]}"}}', flush=True)
server._thread.join()
