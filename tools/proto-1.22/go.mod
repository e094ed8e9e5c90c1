module github.com/rollcall-go/micro/tools/proto-1.22

go 1.26

tool google.golang.org/protobuf/cmd/protoc-gen-go

require google.golang.org/protobuf v1.22.0 // indirect
