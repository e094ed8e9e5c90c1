module github.com/rollcall-go/micro/tools/report

go 1.26
