"""What people paste: messages, loops, and text in which nothing is wrong."""

from __future__ import annotations

SECOND = ("RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after "
          "they "
          "have already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
          "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
          "you "
          "need to access saved tensors after calling backward.")
OLD = ("RuntimeError: Trying to backward through the graph a second time, but the buffers have already been freed. "
       "Specify retain_graph=True when calling backward the first time.")

MESSAGES = [
    ("no_detach", SECOND),
    ("no_detach", OLD),
    ("no_detach", 'Traceback (most recent call last):\n  File "train.py", line 61, in <module>\n'
                  f"    loss.backward()\n{OLD}"),
    ("no_detach", "Exception: Cannot backpropagate more than once"),
    ("retain_graph", "With retain_graph=True every epoch is slower than the last, until CUDA runs out of memory"),
    ("retain_graph", "RuntimeError: CUDA out of memory. It only happens with loss.backward(retain_graph=True)"),
    ("retain_graph", "    output, (h0, c0) = lstm(batch[0], (h0, c0))\nRuntimeError: one of the variables needed for "
     "gradient computation has been modified by an inplace operation: [torch.FloatTensor [128, 6]] is at version 2; "
     "expected version 1 instead."),
    ("last_batch", "RuntimeError: Expected hidden[0] size (2, 4, 256), got (2, 64, 256)"),
    ("last_batch", "RuntimeError: Expected hidden size (1, 32, 512), got [1, 64, 512]"),
    ("last_batch", "RuntimeError: Input batch size 7 doesn't match hidden0 batch size 32"),
    ("last_batch", "ValueError: In a stateful network, you should only pass inputs with a number of samples that can "
                   "be "
     "divided by the batch size"),
    ("short_series", "AssertionError: epoch_size is 0. Please decrease batch_size or num_steps"),
    ("short_series", "    ydata[-1] = xdata[0]\nIndexError: index 0 is out of bounds for axis 0 with size 0"),
    ("short_series", "data load done. Number of batches in train: 0, val: 0, test: 1"),
    ("forget_product", "I read that the gradient of an LSTM is the product of the forget gates, so with f = 1 ..."),
    ("keras_stateful", "Does Keras with stateful=True do backpropagation through all the past batches?"),
    ("shuffled_windows", "Should I shuffle the data if the hidden state is kept between batches?"),
    ("num_steps_depth", "Is num_steps the number of layers of the LSTM?"),
    ("state_grad", "The gradient dx3/dw is 0.288 and not 0.108 as calculated on paper"),
    ("padding", "Do the <pad> tokens change the last hidden state of my LSTM?"),
    ("validation_state", "Validation loss changes when I call reset_states or init_hidden before it"),
    ("sum_loss_clip", "Gradient magnitude depends on seq_length"),
    ("gate_gradient", "My own LSTM does not pass the gradient check: numerical gradient and lstm backward differ"),
    ("zero_in_window", "The gradients are being set to zero within the inner loop for truncated BPTT"),
    ("last_batch", "InvalidArgumentError: Specified a list with shape [32,2] from a tensor with shape [20,2]\n"
                   "  [[node sequential/lstm_3/TensorArrayUnstack/TensorListFromTensor]]"),
    ("shuffled_windows", "The final states of the last batch say nothing of this one, as fit draws batches at random"),
    ("shuffled_windows", "The LSTM states were not reset between two documents"),
    ("reset_every_batch", "So the hidden state that my RNN is given is always just zeroes?"),
    ("padding", "Is the hidden state then that of the last element of the sequence, most probably a pad token?"),
    ("padding", "The recurrent states of the LSTM include padding where a sequence is short"),
    ("validation_state", "During validation the GRU's hidden state is made anew, so its loss is higher"),
    ("retain_graph", "In train_lstm.py loss.backward(retain_graph=True) leads to OOM, memory grows"),
]

LOOPS = [
    ("no_detach", """
hidden = model.init_hidden(batch_size)
for i, (data, targets) in enumerate(train_loader):
    optimizer.zero_grad()
    output, hidden = model(data, hidden)
    loss = criterion(output.view(-1, ntokens), targets)
    loss.backward()
    optimizer.step()
""", "hands `hidden` on with its history"),
    ("no_detach", """
for epoch in range(10):
    for i in range(0, n, bptt):
        pred, self.hidden = self.lstm(x[i:i + bptt], self.hidden)
        loss = loss_fn(pred, y[i:i + bptt])
        loss.backward()
""", "`self.hidden`"),
    ("no_detach", """
class Tagger(nn.Module):
    def __init__(self):
        self.lstm = nn.LSTM(64, 64, batch_first=True)
        self.hidden = self.init_hidden()

    def forward(self, x):
        lstm_out, self.hidden = self.lstm(x, self.hidden)
        return self.out(lstm_out[:, -1])

for i, (x, target) in enumerate(train_data):
    output = model(x)
    loss = criterion(output, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""", "keeps `self.hidden` in the module"),
    ("retain_graph", """
for batch_idx, (data, target) in enumerate(train_loader):
    next_state, output = model(data, state)
    output, state = cell(data, state)
    loss = nn.CrossEntropyLoss()(output, target)
    loss.backward(retain_graph=True)
    optimizer.step()
    optimizer.zero_grad()
""", "keeps every graph"),
    ("h_not_c", """
for x, y in windows:
    hx = hx.detach()
    hx, cx = cell(x, (hx, cx))
    loss = criterion(readout(hx), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
""", "detaches `hx` but not `cx`"),
    ("h_not_c", """
for x, y in windows:
    out, (h_0, c_0) = self.lstm(x, (h_0, c_0))
    loss = criterion(out, y)
    loss.backward()
    c_0 = c_0.data
""", "detaches `c_0` but not `h_0`"),
    ("h_not_c", """
for x, y in windows:
    out, hidden = lstm(x, hidden)
    loss = criterion(out, y)
    loss.backward()
    hidden[0].detach_()
""", "detaches `hidden[0]` but not `hidden[1]`"),
    ("detach_every_step", """
for sequence, target in loader:
    loss = 0
    for t in range(sequence.size(0)):
        hidden = hidden.detach()
        output, hidden = rnn(sequence[t], hidden)
        loss = loss + criterion(output, target[t])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""", "`hidden` is detached inside the loop over steps"),
    ("reset_every_batch", """
for i in range(0, train_data.size(0) - 1, bptt):
    data, targets = get_batch(train_data, i)
    hidden = model.init_hidden(batch_size)
    output, hidden = model(data, hidden)
    loss = criterion(output, targets)
    loss.backward()
    optimizer.step()
""", "stands inside the loop over windows"),
    ("reset_every_batch", """
for start in range(0, len(series) - k, k):
    out, _ = lstm(series[start:start + k])
    loss = mse(head(out), series[start + 1:start + k + 1])
    loss.backward()
    optimizer.step()
""", "hands no state in"),
    ("shuffled_windows", """
loader = DataLoader(windows, batch_size=32, shuffle=True, drop_last=True)
for x, y in loader:
    h, c = h.detach(), c.detach()
    out, (h, c) = lstm(x, (h, c))
    loss = criterion(out, y)
    loss.backward()
""", "shuffle=True"),
    ("shuffled_windows", """
model.add(LSTM(32, batch_input_shape=(batch, 20, 1), stateful=True))
model.fit(x, y, epochs=10, batch_size=batch)
""", "unless told not to"),
    ("keras_stateful", """
model.add(LSTM(50, batch_input_shape=(1, 1, features), stateful=True))
for epoch in range(100):
    model.fit(x, y, epochs=1, batch_size=1, shuffle=False)
    model.reset_states()
""", "batches one step long"),
    ("validation_state", """
for x, y in train_loader:
    h = h.detach()
    out, h = gru(x, h)
    loss = criterion(out, y)
    loss.backward()
    optimizer.step()
model.eval()
with torch.no_grad():
    for x, y in val_loader:
        out, h = gru(x, h)
        total += criterion(out, y).item()
""", "the training loop has left"),
    ("num_steps_depth", "lstm = tf.nn.rnn_cell.MultiRNNCell([cell] * num_steps)", "the number of steps"),
    ("num_steps_depth", "model.add(LSTM(timesteps, return_sequences=True))", "the number of steps"),
    ("tensor_split", "for chunk in x.chunk(bptt, dim=0):\n    out, h = rnn(chunk, h)", "so many pieces"),
    ("state_grad", """
for j in range(k2 - 1):
    if states[-j-2][0] is None:
        break
    curr_grad = states[-j-1][0].grad
    states[-j-2][1].backward(curr_grad, retain_graph=True)
""", "hand their .grad on"),
    ("zero_in_window", """
for x, y in sequences:
    h = torch.zeros(1, batch, hidden)
    for i in range(0, x.size(0), k):
        optimizer.zero_grad()
        h = h.detach()
        out, h = rnn(x[i:i + k], h)
        loss = criterion(out, y[i:i + k])
        loss.backward()
    optimizer.step()
""", "after it"),
    ("sum_loss_clip", """
criterion = nn.CrossEntropyLoss(reduction="sum")
for x, y in batches:
    state = state.detach()
    out, state = rnn(x, state)
    loss = criterion(out, y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    optimizer.step()
""", "clips what comes of it"),
    ("padding", """
x = pad_sequence(sequences, batch_first=True)
out, (h, c) = self.lstm(x)
return self.fc(h[-1])
""", "nothing packs or masks it"),
    ("gate_gradient", """
do = dh * np.tanh(C)
dC = dh * o[t] * (1 - np.tanh(C) ** 2)
df = dC * C_prev
di = dC * g[t]
dg = dC * i[t]
""", "no line multiplies by it"),
    ("forget_product", "flow = np.prod(forget_gates, axis=0)  # the gradient of c_0", "one path of the gradient"),
    ("short_series", "for i in range(len(data) // seq_len):\n    train(data[i * seq_len:(i + 1) * "
                     "seq_len])", "is empty"),
]

MODULE = """
class Net(nn.Module):
    def __init__(self):
        self.hidden = self.init_hidden()

    def forward(self, x):
        BEFORE
        out, self.hidden = self.lstm(x, self.hidden)
        return out

for x, y in loader:
    IN_LOOP
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
"""

INNOCENT = [
    MODULE.replace("BEFORE", "self.hidden = tuple(h.detach() for h in self.hidden)").replace("IN_LOOP", "pass"),
    MODULE.replace("BEFORE", "self.hidden = self.init_hidden(x.size(0))").replace("IN_LOOP", "pass"),
    MODULE.replace("BEFORE", "pass").replace("IN_LOOP", "net.hidden = net.init_hidden()"),
    MODULE.replace("BEFORE", "pass").replace("IN_LOOP", "net.reset_hidden_state()"),
    MODULE.replace("BEFORE", "pass").replace("IN_LOOP", "net.hidden = repackage_hidden(net.hidden)"),
    MODULE.replace("BEFORE", "pass").replace("IN_LOOP", "net.hidden[0].detach_()"),
    "for x, y in loader:\n    optimizer.zero_grad()\n    loss = criterion(model(x), y)\n    loss.backward()\n"
    "    optimizer.step()\n",
    "for data, targets in batches:\n    hidden = repackage_hidden(hidden)\n    model.zero_grad()\n"
    "    output, hidden = model(data, hidden)\n    loss = criterion(output, targets)\n    loss.backward()\n"
    "    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)\n    optimizer.step()\n",
    "for x, y in loader:\n    h = torch.zeros(1, x.size(1), hidden)\n    out, h = gru(x, h)\n    loss = "
    "criterion(out, y)\n"
    "    loss.backward()\n    optimizer.step()\n",
    "for x, y in windows:\n    out, hidden = lstm(x, hidden)\n    loss(out, y).backward()\n"
    "    hidden = (hidden[0].detach(), hidden[1].detach())\n",
    "for x, y in windows:\n    out, hidden = lstm(x, hidden)\n    loss(out, y).backward()\n"
    "    hidden[0].detach_()\n    hidden[1].detach_()\n",
    "for i in range(0, n, k):\n    h, c = h.detach(), c.detach()\n    out, (h, c) = lstm(x[i:i + k], (h, c))\n"
    "    loss = criterion(out, y[i:i + k])\n    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n",
    "for x, y in windows:\n    state = [s.detach() for s in state]\n    out, state = lstm(x, state)\n    loss(out, "
    "y).backward()\n",
    "for x, y in windows:\n    out, state = lstm(x, state)\n    loss(out, y).backward()\n"
    "    state = tuple(s.detach() for s in state)\n",
    "model = Sequential([LSTM(32, return_sequences=True), Dense(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "x = pad_sequence(batch)\npacked = pack_padded_sequence(x, lengths)\nout, (h, c) = lstm(packed)\nreturn h[-1]\n",
    "di = dc * g * i * (1 - i)\ndf = dc * c_prev * f * (1 - f)\ndo = dh * tanh_c * o * (1 - o)\n",
    "windows = torch.split(series, num_steps)\nlstm = nn.LSTM(16, 32, num_layers=2)\n",
    "x = self.relu(self.fc1(x))\nx = self.fc2(x)\nreturn x\n",
    "for source, target in pairs:\n    _, hidden = encoder(source)\n    loss, token = 0, start\n"
    "    for t in range(target.size(0)):\n        out, hidden = decoder(token, hidden)\n"
    "        loss += criterion(out, target[t])\n        token = out.argmax(-1).detach()\n    loss.backward()\n",
    "for x, y in windows:\n    with tf.GradientTape() as tape:\n        out, state = rnn(x, initial_state=state)\n"
    "        loss = mse(y, dense(out))\n    grads = tape.gradient(loss, model.trainable_variables)\n"
    "    optimizer.apply_gradients(zip(grads, model.trainable_variables))\n",
    "criterion = nn.CrossEntropyLoss(reduction='sum')\nfor x, y in loader:\n    out, _ = rnn(x)\n"
    "    loss = criterion(out, y) / y.numel()\n    loss.backward()\n    clip_grad_norm_(rnn.parameters(), 1.0)\n",
    "RuntimeError: Expected hidden[0] size (1, 32, 32), got (2, 32, 32)",
    "RuntimeError: Expected hidden[0] size (1, 64, 256), got (64, 256)",
    "ModuleNotFoundError: No module named 'torch'",
    "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x10 and 20x5)",
    "ZeroDivisionError: division by zero\n    return total / count",
    "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB",
    "The quick brown fox jumps over the lazy dog. It does not detach anything.",
    "SELECT name FROM users WHERE id = 1;",
    "import this",
    "@jax.jit\ndef step(params, carry, xs):\n    carry = jax.lax.stop_gradient(carry)\n    return loss(params, carry, "
    "xs)\n",
    "for s in range(10):\n    print(s)\nwhile True:\n    break\n",
]
