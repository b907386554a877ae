"""The protocol compiler that the wheel grpcio-tools carries, as a command."""

import sys

from grpc_tools import protoc

if __name__ == "__main__":
    sys.exit(protoc.main(sys.argv))
