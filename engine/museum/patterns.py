"""The patterns that the rules about programs look for. Every repeat is bounded, so that none can run away. (leaf)"""

from __future__ import annotations

import re

STEPS = r"(?:num_?steps|n_steps|time_?steps|seq(?:uence)?_?len(?:gth)?|bptt|n_time|tbptt_?\w{0,8})"
JUDGED = re.compile(r"(?<![a-z])(?:val|valid|validation|test|eval|evaluation|dev|held_?out)(?![a-z])", re.IGNORECASE)
RETAINED = re.compile(r"retain_graph\s{0,4}=\s{0,4}True")
MADE_ANEW = re.compile(r"\.(?:init|reset|zero|clear)_?\w{0,12}(?:hidden|state|states|memory)\w{0,12}\(")
SHUFFLED = re.compile(r"shuffle\s{0,4}=\s{0,4}True|RandomSampler\(")
ORDERED = re.compile(r"shuffle\s{0,4}=\s{0,4}False")
STATEFUL = re.compile(r"stateful\s{0,4}=\s{0,4}True")
ONE_STEP = re.compile(r"batch_(?:input_)?shape\s{0,4}=\s{0,4}\(\s{0,4}\w{1,20}\s{0,4},\s{0,4}1\s{0,4},"
                      r"|(?:num_|n_|time_|time|batch_|seq_)?steps\s{0,4}=\s{0,4}1\b")
STATELESS_CALL = re.compile(r"(?:self\.|model\.)?\w{0,20}(?:lstm|gru|rnn)\w{0,20}\(", re.IGNORECASE)
DEPTH = re.compile(
    rf"num_layers\s{{0,4}}=\s{{0,4}}{STEPS}\b|\]\s{{0,4}}\*\s{{0,4}}{STEPS}\s{{0,4}}\)"
    rf"|(?:LSTM|GRU|RNN)\w{{0,8}}\(\s{{0,4}}{STEPS}\s{{0,4}}[,)]"
    rf"|Cell\(\w{{0,20}}\)\s{{1,4}}for\s{{1,4}}\w{{1,20}}\s{{1,4}}in\s{{1,4}}range\(\s{{0,4}}{STEPS}\s{{0,4}}\)")
SECTIONS = re.compile(rf"(?:tensor_split|array_split|hsplit|chunk)\([^()]{{0,80}}\b{STEPS}\b[^()]{{0,40}}\)")
WHOLE_WINDOWS = re.compile(
    rf"range\([^()]{{0,20}}(?:\([^()]{{0,40}}\))?[^()/]{{0,20}}//\s{{0,4}}{STEPS}\s{{0,4}}\)")
UPDATE = re.compile(r"opt\w{0,12}\.step\(")
HANDED_GRAD = re.compile(r"\.backward\([^()\n]{0,80}\bgrad\b|=\s{0,4}states?\[[^=\n]{0,60}\]\.grad\b|curr_\w{0,10}grad")
STORED = re.compile(r"states?\[|states\.append")
CLEARED = re.compile(r"\.grad\s{0,4}=\s{0,4}None\s{0,4}$|\.grad\.zero_\(|\.grad\.data\.zero_")
WEIGHT_GRAD = re.compile(r"(?:self\.)?(?:w|weight|W|param\w{0,8}|p)\.grad")
CLIPPED = re.compile(r"clip_grad|clip_by_(?:global_)?norm|clipnorm")
SUMMED = re.compile(r"reduction\s{0,4}=\s{0,4}[\"']sum[\"']|size_average\s{0,4}=\s{0,4}False")
ADDED = re.compile(r"loss\s{0,4}\+=|loss\s{0,4}=\s{0,4}loss\s{0,4}\+")
OWN_TAPE = re.compile(r"GradientTape\(")
DIVIDED = re.compile(r"loss\s{0,4}=[^=\n]{1,80}\)\s{0,4}/\s{0,4}\w"
                     r"|loss\s{0,4}/=|loss\s{0,4}/\s{0,4}\w|loss\.div|\.mean\(\)\.backward|loss\.mean\(")
PADDED = re.compile(r"pad_sequences?\(|F\.pad\(|padding_value")
MASKED = re.compile(r"pack_padded|pack_sequence|mask|lengths?\s{0,4}-\s{0,4}1|gather\(|sequence_length", re.IGNORECASE)
FINAL = re.compile(r"\[-1\]|\[:,\s{0,4}-1|\(h\w{0,10},\s{0,4}c\w{0,10}\)|,\s{0,4}h\w{0,10}\s{0,4}="
                   r"|return_sequences\s{0,4}=\s{0,4}False")
GATE_GRADIENT = re.compile(r"(?:self\.)?(?:d_?[ifog](?:_?(?:gate|t|input|bar))?|d_?(?:input|forget|output)_?gate)"
                           r"\s{0,4}=\s{0,4}[^=]")
DERIVATIVE = re.compile(r"1\.?0?\s{0,4}-|deriv|grad|dsig|d_sig|prime", re.IGNORECASE)
DERIVATIVE_LATER = re.compile(
    r"\(\s{0,4}1\.?0?\s{0,4}-\s{0,4}(?:self\.)?(?:state\.)?\w{0,14}(?:\[\w{1,6}\])?\s{0,4}\)"
    r"|sigmoid_deriv|dsigmoid|d_sigmoid|sigmoid\([^()\n]{0,40}deriv")
FORGET_PRODUCT = re.compile(
    r"\b(?:cum)?prod\([^()\n]{0,60}\b(?:f|fs|f_t|f_gates?|forget\w{0,12})\b|\bforget\w{0,12}\)?\.(?:cum)?prod\("
    r"|stack\(\s{0,4}(?:fs?|forget\w{0,12})\s{0,4}\)\.(?:cum)?prod\(")
