#!/usr/bin/env bash
# Makes the generated code of the tests anew, each file with the generator that programs of its time used.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v protoc >/dev/null || { echo "protoc is missing: install protobuf-compiler" >&2; exit 1; }
[ -f /usr/include/google/protobuf/descriptor.proto ] || { echo "protobuf's own .proto files are missing: install libprotobuf-dev" >&2; exit 1; }
bin=$PWD/bin
go -C tools/proto build -o "$bin/" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
go build -o "$bin/" ./cmd/protoc-gen-micro
go -C tools/proto-1.22 build -o "$bin/protoc-gen-go-1.22" google.golang.org/protobuf/cmd/protoc-gen-go
go -C tools/proto-1.3 build -o "$bin/protoc-gen-go-1.3" github.com/golang/protobuf/protoc-gen-go

# generate ROOT FILE PLUGIN [MORE OPTIONS...]
generate() {
	local root=$1 file=$2 plugin=$3
	shift 3
	protoc -I "$root" --plugin=protoc-gen-go="$bin/$plugin" --go_out=paths=source_relative:"$root" "$@" "$file"
}
generate internal/testkit currentpb/current.proto protoc-gen-go \
	--plugin=protoc-gen-go-grpc="$bin/protoc-gen-go-grpc" --go-grpc_out=paths=source_relative:internal/testkit
generate internal/testkit legacypb/legacy.proto protoc-gen-go-1.3
generate interop/v2peer greeterpb/greeter.proto protoc-gen-go-1.3
generate interop/v2peer newerpb/newer.proto protoc-gen-go-1.22

# micro FILE [PLUGIN OUTPUTS...]: what protoc-gen-micro makes, and the messages that it is used with.
micro() {
	protoc -I internal/testkit -I tools/proto/include -I /usr/include --plugin="$bin/protoc-gen-go" --plugin="$bin/protoc-gen-go-grpc" --plugin="$bin/protoc-gen-micro" \
		--micro_out=paths=source_relative:internal/testkit "$@"
}
messages=--go_out=paths=source_relative:internal/testkit
micro "$messages" micropb/shared/shared.proto
micro "$messages" micropb/kinds/kinds.proto micropb/kinds/account.proto
micro "$messages" micropb/names/in/in.proto
micro "$messages" micropb/names/client/client.proto
micro "$messages" micropb/names/names.proto micropb/names/types.proto
micro micropb/http/http.proto
