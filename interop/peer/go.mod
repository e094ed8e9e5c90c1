module github.com/rollcall-go/micro/interop/peer

go 1.26.0
