"""Uses a running daemon from Python, by stubs generated from the protos.

usage: python_client.py STUBS_FOLDER GRPC_TARGET HTTP_ADDRESS

Exits with 0 if everything is as it should be; an assertion says what is not.
"""

import sys
import urllib.error
import urllib.request

stubs, target, http = sys.argv[1:]
sys.path.insert(0, stubs)

import grpc  # noqa: E402
from penstock.v1 import admin_pb2, admin_pb2_grpc  # noqa: E402
from penstock.v1 import database_pb2 as db  # noqa: E402
from penstock.v1 import database_pb2_grpc  # noqa: E402
from penstock.v1 import error_pb2  # noqa: E402
from penstock.v1.value_pb2 import Row, Value  # noqa: E402

channel = grpc.insecure_channel(target)
stub = database_pb2_grpc.DatabaseServiceStub(channel)


def query(sql, *args):
    return list(stub.Query(db.QueryRequest(sql=sql, args=args)))


def detail_of(error):
    metadata = dict(error.trailing_metadata())
    status = error_pb2.StatusDetails.FromString(metadata["grpc-status-details-bin"])
    detail = error_pb2.ErrorDetail()
    assert status.details[0].Unpack(detail)
    return detail


def check_statements():
    requests = [
        db.ExecRequest(sql="CREATE TABLE python (id INTEGER PRIMARY KEY, name TEXT)"),
        db.ExecRequest(
            sql="INSERT INTO python VALUES ($1, $2)",
            rows=[
                Row(values=[Value(integer=i), Value(text=f"name {i}")]) for i in range(100)
            ],
        ),
    ]
    answers = list(stub.Exec(iter(requests)))
    assert answers[1].summary.rows_affected == 100, answers
    (result,) = query("SELECT name FROM python WHERE id = $1", Value(integer=42))
    assert result.rows[0].values[0].text == "name 42", result
    assert result.columns[0].name == "name" and result.summary.rows_returned == 1, result


def check_streams():
    runs = [db.PrepareRequest(sql="SELECT name FROM python WHERE id = $1")]
    runs += [db.PrepareRequest(args=[Value(integer=i)]) for i in range(50)]
    answers = list(stub.Prepare(iter(runs)))
    assert answers[0].prepared.parameter_count == 1, answers[0]
    assert [a.result.rows[0].values[0].text for a in answers[1:]] == [
        f"name {i}" for i in range(50)
    ]
    step = db.TransactionRequest
    answers = list(
        stub.Transaction(
            iter(
                [
                    step(begin=step.Begin()),
                    step(exec=step.Statement(sql="DELETE FROM python")),
                    step(rollback=step.Rollback()),
                ]
            )
        )
    )
    assert answers[1].executed.rows_affected == 100, answers
    assert answers[2].HasField("rolled_back"), answers
    assert query("SELECT count(*) FROM python")[0].rows[0].values[0].integer == 100


def check_errors():
    try:
        query("INSERT INTO python VALUES (1, 'again')")
        raise AssertionError("a duplicate was accepted")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.ALREADY_EXISTS, error
        assert detail_of(error).reason == error_pb2.REASON_UNIQUE_VIOLATION, error
        assert detail_of(error).table == "python", error


def check_surroundings():
    admin = admin_pb2_grpc.AdminServiceStub(channel)
    databases = admin.ListDatabases(admin_pb2.ListDatabasesRequest()).databases
    assert [(d.name, d.driver, d.is_default) for d in databases] == [("main", "sqlite", True)]
    # The standard services, whose messages are not generated here, as bytes.
    health = channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
    assert health == b"\x08\x01", health  # SERVING
    reflection = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    (services,) = list(reflection(iter([b"\x3a\x00"])))  # list_services: ""
    assert b"penstock.v1.DatabaseService" in services, services
    assert b"penstock.v1.AdminService" in services, services


def get(path):
    try:
        with urllib.request.urlopen(f"http://{http}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def check_http():
    assert get("/healthz")[0] == 200
    assert get("/readyz")[0] == 200
    assert get("/nothing")[0] == 404
    status, metrics = get("/metrics")
    assert status == 200
    assert 'penstock_statements_total{database="main",code="OK"}' in metrics, metrics
    assert 'penstock_statements_total{database="main",code="ALREADY_EXISTS"} 1' in metrics, metrics
    assert 'penstock_pool_in_use{database="main",pool="write"} 0' in metrics, metrics


check_statements()
check_streams()
check_errors()
check_surroundings()
check_http()
print("python client: all good")
