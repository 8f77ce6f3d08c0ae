"""Run by tsql.py in a process of its own: {name: T-SQL} from stdin, {name: [errors]} to stdout."""

import json
import os
import sys
from pathlib import Path


def main(folder: str) -> None:
    sys.path.insert(0, folder)
    os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"  # no ICU is needed to parse
    os.environ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1"
    import clr_loader
    import pythonnet

    config = Path(folder) / "tsql.runtimeconfig.json"
    framework = {"name": "Microsoft.NETCore.App", "version": "3.1.23"}
    config.write_text(json.dumps({"runtimeOptions": {"tfm": "netcoreapp3.1", "framework": framework}}))
    root = Path(folder) / "dotnetcore2" / "bin"
    pythonnet.set_runtime(clr_loader.get_coreclr(runtime_config=str(config), dotnet_root=str(root)))
    import clr

    clr.AddReference(
        str(Path(folder) / "mssqlcli/mssqltoolsservice/bin/Microsoft.SqlServer.TransactSql.ScriptDom.dll")
    )
    from Microsoft.SqlServer.TransactSql.ScriptDom import TSql150Parser
    from System.IO import StringReader

    found = {}
    for name, text in json.load(sys.stdin).items():
        _, errors = TSql150Parser(True).Parse(StringReader(text), None)
        found[name] = [f"{error.Line}:{error.Column} {error.Message}" for error in errors]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
