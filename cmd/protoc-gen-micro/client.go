package main

import "google.golang.org/protobuf/compiler/protogen"

// client writes what calls the service.
func (w writer) client(s *protogen.Service) {
	w = w.with(map[string]string{"comment": comment(s.Comments.Leading, deprecatedService(s))})
	w.write("// $Client calls a service that has the methods of $Service. It is safe for concurrent use.")
	if c := w.values["comment"]; c != "" {
		w.write("//\n${comment}type $Client interface {")
	} else {
		w.write("type $Client interface {")
	}
	for _, m := range s.Methods {
		w.method(s, m).write("${comment}" + clientSignature(m))
	}
	w.write(clientStruct)
	for _, m := range s.Methods {
		mw := w.method(s, m)
		mw.blank()
		mw.write("func ($c *$clientStruct) " + clientSignature(m) + " {")
		switch {
		case !streams(m):
			mw.write(unaryCall)
		case m.Desc.IsStreamingClient():
			mw.write(openStream)
		default:
			mw.write(openServerStream)
		}
		if streams(m) {
			mw.clientStream(m)
		}
	}
	w.blank()
}

func clientSignature(m *protogen.Method) string {
	switch {
	case !streams(m):
		return "$Method($ctx $context.Context, $in *$Request, $opts ...$client.CallOption) (*$Response, error)"
	case m.Desc.IsStreamingClient():
		return "$Method($ctx $context.Context, $opts ...$client.CallOption) ($ClientStream, error)"
	default:
		return "$Method($ctx $context.Context, $in *$Request, $opts ...$client.CallOption) ($ClientStream, error)"
	}
}

const clientStruct = `
}

type $clientStruct struct {
	c    $client.Client
	name string
}

// New$Client returns a client of the service with the given name.
func New$Client($name string, $c $client.Client) $Client {
	return &$clientStruct{c: $c, name: $name}
}
`

const unaryCall = `
	$req := $c.c.NewRequest($c.name, $endpoint, $in${idempotentRequest})
	$out := new($Response)
	if $err := $c.c.Call($ctx, $req, $out, $opts...); $err != nil {
		return nil, $err
	}
	return $out, nil
}
`

const openStream = `
	$req := $c.c.NewRequest($c.name, $endpoint, new($Request))
	$stream, $err := $c.c.Stream($ctx, $req, $opts...)
	if $err != nil {
		return nil, $err
	}
	return &$clientStreamStruct{$stream}, nil
}
`

const openServerStream = `
	$req := $c.c.NewRequest($c.name, $endpoint, new($Request))
	$stream, $err := $c.c.Stream($ctx, $req, $opts...)
	if $err != nil {
		return nil, $err
	}
	if $err := $client.SendLast($stream, $in); $err != nil {
		_ = $stream.Close()
		return nil, $err
	}
	return &$clientStreamStruct{$stream}, nil
}
`

// clientStream writes the type of a stream as the client has it.
func (w writer) clientStream(m *protogen.Method) {
	sends, receives := m.Desc.IsStreamingClient(), m.Desc.IsStreamingServer()
	w.write(`
// $ClientStream is a stream of $Method. Close it when it is no longer needed.
type $ClientStream interface {
	Context() $context.Context
	SendMsg(any) error
	RecvMsg(any) error
	Close() error`)
	if sends {
		w.write("\tSend(*$Request) error")
	}
	switch {
	case sends && receives:
		w.write("\t// CloseSend ends what is sent; Recv goes on.\n\tCloseSend() error\n\tRecv() (*$Response, error)")
	case sends:
		w.write("\t// CloseAndRecv ends what is sent, waits for the response and closes the stream.\n\tCloseAndRecv() (*$Response, error)")
	default:
		w.write("\t// Recv returns io.EOF after the last message.\n\tRecv() (*$Response, error)")
	}
	w.write(`
}

type $clientStreamStruct struct {
	stream $client.Stream
}

func ($x *$clientStreamStruct) Context() $context.Context { return $x.stream.Context() }
func ($x *$clientStreamStruct) SendMsg($m any) error      { return $x.stream.Send($m) }
func ($x *$clientStreamStruct) RecvMsg($m any) error      { return $x.stream.Recv($m) }
func ($x *$clientStreamStruct) Close() error              { return $x.stream.Close() }`)
	if sends {
		w.write("func ($x *$clientStreamStruct) Send($m *$Request) error { return $x.stream.Send($m) }")
	}
	switch {
	case sends && receives:
		w.write("func ($x *$clientStreamStruct) CloseSend() error { return $client.CloseSend($x.stream) }")
		w.write("\n" + recv("clientStreamStruct", "Response"))
	case sends:
		w.write(closeAndRecv)
	default:
		w.write("\n" + recv("clientStreamStruct", "Response"))
	}
}

// recv is the method of a stream's type that receives a message.
func recv(typ, message string) string {
	return `
func ($x *$` + typ + `) Recv() (*$` + message + `, error) {
	$m := new($` + message + `)
	if $err := $x.stream.Recv($m); $err != nil {
		return nil, $err
	}
	return $m, nil
}`
}

const closeAndRecv = `

func ($x *$clientStreamStruct) CloseAndRecv() (*$Response, error) {
	$m := new($Response)
	if $err := $client.CloseAndRecv($x.stream, $m); $err != nil {
		return nil, $err
	}
	return $m, nil
}
`
