module github.com/rollcall-go/micro/tools/proto-1.3

go 1.26

tool github.com/golang/protobuf/protoc-gen-go

require github.com/golang/protobuf v1.3.5 // indirect
